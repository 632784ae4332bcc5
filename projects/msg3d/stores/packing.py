"""Packing: annotations in memory to a packed store, and either form to memory."""

import os

from ..annotations.check import Annotations, check_annotations, samples_of
from ..annotations.files import load_annotations
from .store import Progress, load_store
from .store_format import HEADER
from .writer import StoreWriter


def pack(
    data: Annotations,
    path: str,
    keep_dtype: bool = False,
    source: str = "annotations",
    progress: Progress | None = None,
) -> None:
    """Check annotations and write them as a packed store.

    Args:
        data: annotations as `load_annotations` returns them; not modified.
        path: folder to write; its parent must exist. An existing store is replaced.
        keep_dtype: keep the dtype of the keypoints, which all samples must share;
            otherwise they are converted to float32.
        source: name of the data, for errors.
        progress: called with (samples written, all samples).

    Raises:
        DataError: the data are not valid annotations, or `path` is something else than
            a store (`exists`).
        OSError: the store cannot be written; an existing one is left as it was.
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


def load_any(path: str) -> Annotations:
    """Load the annotations of a file or of a packed store into memory.

    Args:
        path: a .pkl, or the folder of a store: one whose name ends in `.packed`, or
            that contains its header.

    Raises:
        DataError: see `load_annotations` and `load_store`.
    """
    folder = os.fspath(path).rstrip(os.sep)
    if os.path.isdir(folder) and (
        folder.endswith(".packed") or os.path.exists(os.path.join(folder, HEADER))
    ):
        return load_store(folder).unpack()
    return load_annotations(path)
