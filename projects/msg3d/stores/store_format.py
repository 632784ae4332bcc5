"""Folder of a packed store: file names, version, and validation of the header.

The header `store.json` specifies the data folder and is checked against the files in it.
"""

import json
import os
import re
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import DataError
from ..io.npy import NpyRows

FORMAT, VERSION = "msg3d.packed", 1
HEADER = "store.json"
DATA_FOLDER = re.compile(r"data\.\d+")
# `row` is the first of persons x frames rows. `label` is -1 without a label
# (`labelled` is False), and the largest label of a list (`several` is True, for
# multi_class). `targets` is the number of targets. `text` is the position of the first
# of the sample's `characters` of JSON.
INDEX = np.dtype(
    [
        ("row", "<i8"),
        ("persons", "<i4"),
        ("frames", "<i4"),
        ("label", "<i8"),
        ("labelled", "?"),
        ("several", "?"),
        ("targets", "<i4"),
        ("text", "<i8"),
        ("characters", "<i4"),
    ]
)
_FILES = {"keypoint.npy", "index.npy", "fields.npy", "splits.npy", "meta.json"}
_OPTIONAL_FILES = {"keypoint_score.npy"}


def corrupt_error(
    message: str, file: str, kind: str = "corrupt", sample: int | None = None
) -> DataError:
    """Return the error for a corrupt file of a store."""
    message = f"{message}. Copy the store again, or pack it again."
    return DataError(message, kind=kind, file=file, sample=sample)


def read_header(path: str) -> dict[str, Any]:
    """Read and check `store.json`.

    Raises:
        DataError: the path is not a store (`not-found`, `wrong-path`,
            `wrong-file-type`), or the header cannot be read (`io`), is `corrupt`, or has
            an unsupported version (`version`).
    """
    # `Path("")` is the current folder.
    if not os.path.exists(path):  # noqa: PTH110
        raise DataError(
            "packed store does not exist: correct its path (`ann_file` of a config), or "
            "create it with `msg3d pack`",
            kind="not-found",
            file=path,
        )
    if not Path(path).is_dir():
        raise DataError(
            "is a file, expected the folder that `msg3d pack` writes. For a .pkl file, use "
            "type='SkeletonDataset'",
            kind="wrong-path",
            file=path,
        )
    file = os.path.join(path, HEADER)  # noqa: PTH118  (errors show it unchanged)
    try:
        header = json.loads(Path(file).read_bytes())
    except FileNotFoundError:
        raise DataError(
            "does not exist: the folder is not a packed store, or writing it was "
            "interrupted. Pack it again.",
            kind="not-found",
            file=file,
        ) from None
    except OSError as error:
        raise DataError(
            f"cannot be read: {error.strerror}", kind="io", file=file
        ) from error
    except (ValueError, RecursionError) as error:
        raise corrupt_error("is not valid JSON", file) from error
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise DataError(
            "is not the header of a packed store: specify the folder that `msg3d pack` "
            "writes",
            kind="wrong-file-type",
            file=file,
        )
    if header.get("version") != VERSION:
        raise DataError(
            f"has version {header.get('version')!r}, but this msg3d supports version "
            f"{VERSION}: pack the annotations again, or update msg3d",
            kind="version",
            file=file,
        )
    _check_header(header, file)
    return header


def _check_header(header: dict[str, Any], file: str) -> None:
    """Check the type of every required entry."""
    data, name = header.get("data"), header.get("id")
    if not isinstance(data, str) or not DATA_FOLDER.fullmatch(data):
        raise corrupt_error(f"has the invalid data folder {data!r:.40}", file)
    if name not in ("frame_dir", "filename"):
        raise corrupt_error(f"has the invalid id field {name!r:.40}", file)
    counts = [("bytes", header.get("bytes"))]
    if header.get("splits", 0) is not None:
        counts.append(("splits", header.get("splits")))
    for key, value in counts:
        if not isinstance(value, dict) or any(
            type(count) is not int or not 0 <= count < 2**62 for count in value.values()
        ):
            raise corrupt_error(f"has {key!r} that do not map names to numbers", file)
    files = set(header["bytes"])
    if _FILES - files or files - _FILES - _OPTIONAL_FILES:
        raise corrupt_error(f"has the wrong files {sorted(files)!s:.200}", file)


def check_arrays(
    folder: str,
    header: dict[str, Any],
    index: np.ndarray,
    fields: NpyRows,
    splits: NpyRows,
    keypoint: NpyRows,
    score: NpyRows | None,
) -> None:
    """Check that the arrays are consistent, in one pass over the index.

    Raises:
        DataError: an array is inconsistent with the others (`corrupt`).
    """
    ids = sum((header["splits"] or {}).values())
    score_shape = None if score is None else score.shape
    for shape, name, valid in (
        (keypoint.shape, "keypoint", len(keypoint.shape) == 3),
        (score_shape, "keypoint_score", score_shape in (None, keypoint.shape[:2])),
        (splits.shape, "splits", splits.shape == (ids,)),
        (fields.shape, "fields", len(fields.shape) == 1),
    ):
        if not valid:
            raise corrupt_error(f"has the wrong shape {shape}", f"{folder}/{name}.npy")
    persons, frames = index["persons"].astype(np.int64), index["frames"]
    file = f"{folder}/index.npy"
    if (persons < 0).any() or (frames < 0).any():
        raise corrupt_error("has negative numbers of persons or frames", file)
    for first, count, end in (
        (index["row"], persons * frames, len(keypoint)),
        (index["text"], index["characters"], len(fields)),
    ):
        # `first + count` may overflow 64 bits.
        if ((first < 0) | (count < 0) | (count > end) | (first > end - count)).any():
            raise corrupt_error("refers to rows that do not exist", file)


def check_replaceable(path: str) -> None:
    """Check that a store can be written without replacing anything but a store.

    Raises:
        DataError: the path exists and is not a packed store (`exists`).
    """
    folder = Path(path)
    if folder.exists() and not (
        folder.is_dir()
        and all(item.name.startswith((HEADER, "data.")) for item in folder.iterdir())
    ):
        raise DataError(
            "exists and is not a packed store: choose another name, or remove it",
            kind="exists",
            file=path,
        )


def new_folder(path: str) -> Path:
    """Create an empty data folder, in a new or an existing store."""
    check_replaceable(path)
    store = Path(path)
    if not store.exists():
        store.mkdir()
    number = 1
    while True:
        try:
            folder = store / f"data.{number}"
            folder.mkdir()
            return folder
        except FileExistsError:  # used by the store or by another writer
            number += 1


def data_folder(path: str) -> Path | None:
    """Return the data folder of the store at `path`, or None without a valid header."""
    try:
        name = json.loads(Path(path, HEADER).read_bytes())["data"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    # The caller deletes this folder, so never return a path outside the store.
    valid = isinstance(name, str) and DATA_FOLDER.fullmatch(name)
    return Path(path, name) if valid else None
