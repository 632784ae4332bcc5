"""Annotation files of MMAction2, as `annotations.save_annotations` writes them."""

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
        data: the content of the file.
        source: the file.
        options: `split` selects samples; `layout` replaces the file's.

    Returns:
        The samples with all their fields, and `layout` and `unit`.

    Raises:
        DataError: the file has another form, no samples, or no such split.
    """
    samples = samples_of(data, source.name)
    key = id_field(samples)
    raise_first(id_faults(samples, key), source.name)
    if options.split is not None:
        splits = data.get("split", {}) if isinstance(data, dict) else {}
        if options.split not in splits:
            raise DataError(
                f"has no split {options.split!r}, expected one of {list(splits)}",
                kind="split",
            )
        wanted = set(splits[options.split])
        samples = [sample for sample in samples if sample[key] in wanted]
    meta = data.get("meta") if isinstance(data, dict) else None
    named = meta.get("layout") if isinstance(meta, dict) else None
    told = {"img_shape": options.img_shape}
    known = isinstance(named, str) and named in SKELETONS
    layout = options.layout or (named if known else None)
    own = {"layout": layout, "unit": options.unit}
    return [{**told, **sample, **own, "frame_dir": sample[key]} for sample in samples]


FORMAT = Format(
    name="annotation_file",
    title="Annotation file of MMAction2",
    suffixes=(".pkl",),
    detect=lambda source: True,
    read=_read,
    needs=("layout",),
)
