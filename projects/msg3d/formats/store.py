"""Reader for packed stores, as written by `msg3d pack`."""

from pathlib import Path

from ..stores.store import load_store
from ..stores.store_format import HEADER
from ..stores.writer import StoreWriter
from .annotation_file import sequences_of
from .base import Format, ReadOptions, Sample, Source
from .data_set import DataSet


def _read(source: Source, options: ReadOptions) -> list[Sample]:
    with source.on_disk() as path:
        return sequences_of(load_store(path).unpack(), source, options)


def _detect(source: Source) -> bool:
    if source.path is None or not source.is_folder:
        return False
    return Path(source.path, HEADER).is_file()


def _data_set(source: Source, options: ReadOptions) -> DataSet:
    assert source.path is not None  # a store is a folder
    store = load_store(source.path)
    rest = store.rest()
    meta = rest.pop("meta", {})
    return DataSet(
        len(store),
        read=lambda start: (
            {**sample, "frame_dir": sample[store.id_field]}
            for sample in map(store.__getitem__, range(start, len(store)))
        ),
        splits=store.split_ids(),
        meta=meta,
        rest=rest,
    )


def _write(data: DataSet, path: str, *_: str | None) -> dict[str, int]:
    with StoreWriter(path, resume=data.source) as writer:
        for sample in data.read(writer.samples):
            writer.add(sample)
        if data.splits is not None:
            writer.splits = dict(data.splits)
        writer.rest = {**data.rest, **({"meta": data.meta} if data.meta else {})}
    return {}


FORMAT = Format(
    name="store",
    title="Packed store",
    keeps="everything",
    suffixes=(),
    detect=_detect,
    read=_read,
    needs=("layout",),
    data_set=_data_set,
    write=_write,
)
