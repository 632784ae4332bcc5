"""Pack annotations into a store, and load annotations from a file or a store."""

import os
import pickle
from pathlib import Path

from ..annotations.check import Annotations, check_annotations, samples_of
from ..annotations.files import load_annotations
from ..errors import DataError
from ..io import StrPath
from ..io.atomic import whole_file
from ..io.progress import progress
from .out_path import check_out
from .store import Store, load_store
from .store_format import HEADER
from .writer import StoreWriter


def pack(
    data: Annotations,
    path: StrPath,
    keep_dtype: bool = False,
    source: str = "annotations",
) -> None:
    """Check annotations and write them as a packed store.

    Args:
        data: annotations as returned by `load_annotations`; not modified.
        path: folder to write. Its parent must exist. An existing store is replaced.
        keep_dtype: keep the dtype of the keypoints, which must be the same in all
            samples. By default, keypoints are converted to float32.
        source: name of the data, for error messages.

    Raises:
        DataError: the data are not valid annotations (a kind of
            `annotations.faults.KINDS`), or `path` exists and is not a store (kind
            `exists`).
        OSError: the store cannot be written. An existing store remains unchanged.
    """
    check_annotations(data, source=source, multi_class=True)
    samples = samples_of(data, source)
    with StoreWriter(path, keep_dtype) as writer:
        for sample in progress(samples, "packing", unit="sample"):
            writer.add(sample)
        if isinstance(data, dict):
            writer.rest = dict(data)
            del writer.rest["annotations"]
            writer.splits = writer.rest.pop("split")


def open_any(path: StrPath) -> Annotations | Store:
    """Load the annotations in a file, or open a packed store.

    Args:
        path: a .pkl file, or the folder of a store. A folder is a store if its name ends
            in `.packed`, or if it contains `store.json`.

    Returns:
        Annotations in the form of `load_annotations`, or a store, whose samples are read
        on access.

    Raises:
        DataError: see `load_annotations` and `load_store`.
    """
    folder = os.fspath(path).rstrip(f"/{os.sep}")
    # `Path("")` is the current folder.
    if os.path.isdir(folder) and (  # noqa: PTH112
        folder.endswith(".packed") or Path(folder, HEADER).exists()
    ):
        return load_store(folder)
    return load_annotations(os.fspath(path))


def load_any(path: StrPath) -> Annotations:
    """Load the annotations in a file or a packed store into memory.

    Args:
        path: see `open_any`.

    Returns:
        Annotations in the form of `load_annotations`.

    Raises:
        DataError: see `load_annotations` and `load_store`.
    """
    data = open_any(path)
    return data.unpack() if isinstance(data, Store) else data


def pack_file(source: str, out: str, keep_dtype: bool = False) -> str:
    """Pack an annotation file, or unpack a store, depending on the ending of `out`.

    Args:
        source: annotation file to pack, or store to unpack.
        out: path to write, NAME.packed or NAME.pkl. Its folder is created if necessary.
        keep_dtype: see `pack`.

    Returns:
        `out` without a trailing slash.

    Raises:
        DataError: `source` cannot be read (see `load_any`), is not valid (see `pack`), or
            already has the form of `out` (kind `file-name`).
        OSError: `out` cannot be written.
    """
    _check_direction(source, out)
    out = check_out(out)
    Path(out).parent.mkdir(parents=True, exist_ok=True)
    if out.endswith(".packed"):
        pack(load_annotations(source), out, keep_dtype, source=source)
    else:
        data = load_store(source).unpack()
        with whole_file(out) as file:
            pickle.dump(data, file, protocol=4)
    return out


def _check_direction(source: str, out: str) -> None:
    """Check that a file is to be packed, and a folder is to be unpacked."""
    name = out.rstrip("/")
    if name.endswith(".pkl") and Path(source).is_file():
        raise DataError(
            f"the input {source} is a file, which can only be packed. Choose an output "
            f"that ends in .packed, such as {name.removesuffix('.pkl')}.packed.",
            kind="file-name",
            file=out,
        )
    if name.endswith(".packed") and os.path.isdir(source):  # noqa: PTH112
        raise DataError(
            f"the input {source} is a folder, which can only be unpacked. Choose an output "
            f"that ends in .pkl, such as {name.removesuffix('.packed')}.pkl.",
            kind="file-name",
            file=out,
        )
