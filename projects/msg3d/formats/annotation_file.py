"""MMAction2 annotation files, as written by `annotations.save_annotations`.

The pose extraction scripts of MMAction2 and PYSKL write one file per video, which is the
dictionary of a single sample.
"""

from pathlib import Path

import numpy as np

from ..annotations.check import (
    Annotations,
    id_faults,
    id_field,
    raise_first,
    samples_of,
)
from ..annotations.files import load_annotations, save_annotations
from ..annotations.inspection.coordinates import fitting_layouts
from ..errors import DataError
from ..skeletons import SKELETONS
from .base import Format, ReadOptions, Sample, Source
from .data_set import DataSet, layout_fields


def _read(source: Source, options: ReadOptions) -> list[Sample]:
    with source.on_disk() as path:
        return sequences_of(_load(path), source, options)


def _load(path: str) -> Annotations:
    data = load_annotations(path)
    if isinstance(data, dict) and "keypoint" in data and "annotations" not in data:
        data.setdefault("frame_dir", Path(path).stem)
        return [data]
    return data


def sequences_of(
    data: Annotations, source: Source, options: ReadOptions
) -> list[Sample]:
    """Return the samples of an annotation file as sequences.

    Args:
        data: content of the annotation file.
        source: the annotation file.
        options: `split` selects samples, and `layout` overrides the layout of the file.

    Returns:
        The samples of the split with all their fields, `layout`, and `unit`.

    Raises:
        DataError: the file is not an annotation file, has no samples, or does not
            contain the split (kind `split`).
    """
    samples = samples_of(data, source.name)
    key = id_field(samples)
    raise_first(id_faults(samples, key), source.name)
    if options.split is not None:
        splits = data.get("split", {}) if isinstance(data, dict) else {}
        if options.split not in splits:
            available = ", ".join(map(repr, splits)) or "none"
            raise DataError(
                f"the file has no split {options.split!r}. Its splits are: {available}.",
                kind="split",
            )
        names = set(splits[options.split])
        samples = [sample for sample in samples if sample[key] in names]
    meta = data.get("meta") if isinstance(data, dict) else None
    layout = meta.get("layout") if isinstance(meta, dict) else None
    known = isinstance(layout, str) and layout in SKELETONS
    defaults = {"img_shape": options.img_shape}
    fields = {
        "layout": options.layout or (layout if known else None),
        "unit": options.unit,
    }
    return [
        {**defaults, **sample, **fields, "frame_dir": sample[key]} for sample in samples
    ]


def _data_set(source: Source, options: ReadOptions) -> DataSet:
    assert source.path is not None  # data sets are files on disk
    data = _load(source.path)
    samples = samples_of(data, source.name)
    key = id_field(samples)
    raise_first(id_faults(samples, key), source.name)
    rest = dict(data) if isinstance(data, dict) else {}
    rest.pop("annotations", None)
    splits = rest.pop("split", None)
    meta = rest.pop("meta", {})
    meta = dict(meta) if isinstance(meta, dict) else {}
    if options.layout is not None:
        meta.update(layout_fields(options.layout))
    elif {"joints", "inward"} & set(meta) and "layout" not in meta:
        joints = np.shape(samples[0]["keypoint"])[2]
        meta["layout"] = next(iter(fitting_layouts(data, joints)), None)
    return DataSet(
        len(samples),
        read=lambda start: (
            {**sample, "frame_dir": sample[key]} for sample in samples[start:]
        ),
        splits=splits or None,
        meta={key: value for key, value in meta.items() if value is not None},
        rest=rest,
    )


def _write(data: DataSet, path: str, *_: str | None) -> dict[str, int]:
    samples = list(data.read(0))
    converted = sum(sample["keypoint"].dtype != np.float32 for sample in samples)
    lost = {"dtype, converted to float32": converted} if converted else {}
    if data.splits is None:
        save_annotations(samples, path)
        return {**lost, **({"meta of a file without splits": 1} if data.meta else {})}
    splits = {name: list(ids) for name, ids in data.splits.items()}
    content = {"split": splits, "annotations": samples, **data.rest}
    if data.meta:
        content["meta"] = data.meta
    save_annotations(content, path)
    return lost


FORMAT = Format(
    name="annotation_file",
    title="MMAction2 annotation file",
    keeps="everything",
    suffixes=(".pkl",),
    detect=lambda source: True,
    read=_read,
    needs=("layout",),
    data_set=_data_set,
    write=_write,
)
