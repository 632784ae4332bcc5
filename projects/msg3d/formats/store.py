"""Reader for packed stores, as written by `msg3d pack`."""

from pathlib import Path

from ..stores.store import load_store
from ..stores.store_format import HEADER
from .annotation_file import sequences_of
from .base import Format, ReadOptions, Sample, Source


def _read(source: Source, options: ReadOptions) -> list[Sample]:
    with source.on_disk() as path:
        return sequences_of(load_store(path).unpack(), source, options)


def _detect(source: Source) -> bool:
    if source.path is None or not source.is_folder:
        return False
    return Path(source.path, HEADER).is_file()


FORMAT = Format(
    name="store",
    title="Packed store",
    suffixes=(),
    detect=_detect,
    read=_read,
    needs=("layout",),
)
