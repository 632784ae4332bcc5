"""Annotations in memory, or a whole annotation file, as a packed store, and back."""

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
        data: as `load_annotations` returns it; left unchanged.
        path: the folder to write; its parent must exist. A store there is replaced.
        keep_dtype: keep the keypoints' dtype, which all samples must share then;
            otherwise they become float32.
        source: where the data come from, for messages.
        progress: called with (samples written, all samples).

    Raises:
        DataError: the data are not valid annotations, or `path` is something
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


def load_any(path: str) -> Annotations:
    """The annotations of a file, or of a packed store, in memory.

    Args:
        path: a .pkl, or the folder of a store: one whose name ends in `.packed`, or in
            which its header lies.

    Raises:
        DataError: see `load_annotations` and `load_store`.
    """
    folder = os.fspath(path).rstrip(os.sep)
    if os.path.isdir(folder) and (
        folder.endswith(".packed") or os.path.exists(os.path.join(folder, HEADER))
    ):
        return load_store(folder).unpack()
    return load_annotations(path)
