"""Reader for MMAction2 annotation files, as written by `annotations.save_annotations`."""

from ..annotations.check import (
    Annotations,
    id_faults,
    id_field,
    raise_first,
    samples_of,
)
from ..annotations.files import load_annotations
from ..errors import DataError
from ..skeletons import SKELETONS
from .base import Format, ReadOptions, Sample, Source


def _read(source: Source, options: ReadOptions) -> list[Sample]:
    with source.on_disk() as path:
        return sequences_of(load_annotations(path), source, options)


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


FORMAT = Format(
    name="annotation_file",
    title="MMAction2 annotation file",
    suffixes=(".pkl",),
    detect=lambda source: True,
    read=_read,
    needs=("layout",),
)
