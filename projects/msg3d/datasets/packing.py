"""Annotations in memory, or a whole annotation file, as a packed store."""

from .annotation_check import Annotations, check_annotations, samples_of
from .store import Progress
from .store_writer import StoreWriter


def pack(
    data: Annotations,
    path: str,
    keep_dtype: bool = False,
    source: str = "annotations",
    progress: Progress | None = None,
) -> None:
    """Check annotations and write them as a packed store.

    Args:
        data: as `load_annotations` returns it; left unchanged.
        path: the folder to write; its parent must exist. A store there is replaced.
        keep_dtype: keep the keypoints' dtype, which all samples must share then;
            otherwise they become float32.
        source: where the data come from, for messages.
        progress: called with (samples written, all samples).

    Raises:
        AnnotationError: the data are not valid annotations, or `path` is something
            else than a store.
        OSError: the store cannot be written; one of that name is left as it was.
    """
    check_annotations(data, source=source, multi_class=True)
    samples = samples_of(data, source)
    with StoreWriter(path, keep_dtype) as writer:
        for number, sample in enumerate(samples, start=1):
            writer.add(sample)
            if progress is not None:
                progress(number, len(samples))
        if isinstance(data, dict):
            writer.rest = dict(data)
            del writer.rest["annotations"]
            writer.splits = writer.rest.pop("split")
