"""File format of packed stores: names, version, and validation of files.

The header `store.json` specifies the data folder, and the size of each file in it.
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
# Entry of a sample in `index.npy`. `row` is the first of its persons * frames rows in
# `keypoint.npy`. `label` is -1 without a label (`labelled` is False), and the largest label
# of a list (`several` is True, for multi_class). `targets` is the number of targets. `text`
# and `characters` are the position and length of its JSON text in `fields.npy`.
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
    """Return the error for a corrupt file in a store.

    Args:
        message: the fact, without a period.
        file: path of the file.
        kind: kind of the error.
        sample: position of the sample in the store, if the fact concerns a sample.
    """
    message = f"{message}. Copy the store again, or pack it again."
    return DataError(message, kind=kind, file=file, sample=sample)


def read_header(path: str) -> dict[str, Any]:
    """Read and check the header `store.json` of a store.

    Args:
        path: folder of the store.

    Returns:
        Content of the header, with valid types.

    Raises:
        DataError: the path is not a store (kind `not-found`, `wrong-path`, or
            `wrong-file-type`). Or the header cannot be read (kind `io`), is corrupt
            (kind `corrupt`), or has an unsupported version (kind `version`).
    """
    # `Path("")` is the current folder.
    if not os.path.exists(path):  # noqa: PTH110
        raise DataError(
            "the packed store does not exist. Correct its path (`ann_file` in a config), "
            "or create the store with `msg3d pack`.",
            kind="not-found",
            file=path,
        )
    if not Path(path).is_dir():
        raise DataError(
            "the path is a file, expected a packed store (a folder written by `msg3d "
            "pack`). For a .pkl file, set type='SkeletonDataset' in the config.",
            kind="wrong-path",
            file=path,
        )
    file = os.path.join(path, HEADER)  # noqa: PTH118  (errors show it unchanged)
    try:
        header = json.loads(Path(file).read_bytes())
    except FileNotFoundError:
        raise DataError(
            "the file does not exist. The folder is not a packed store, or writing the "
            "store was interrupted. Pack the annotations again.",
            kind="not-found",
            file=file,
        ) from None
    except OSError as error:
        raise DataError(
            f"the file cannot be read ({error.strerror})", kind="io", file=file
        ) from error
    except (ValueError, RecursionError) as error:
        raise corrupt_error("the file is not valid JSON", file) from error
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise DataError(
            "the file is not the header of a packed store. Specify a folder written by "
            "`msg3d pack`.",
            kind="wrong-file-type",
            file=file,
        )
    if header.get("version") != VERSION:
        raise DataError(
            f"the store has version {header.get('version')!r}, but this version of msg3d "
            f"supports version {VERSION}. Pack the annotations again, or update msg3d.",
            kind="version",
            file=file,
        )
    _check_header(header, file)
    return header


def _check_header(header: dict[str, Any], file: str) -> None:
    """Check the types of all required entries in the header."""
    data, name = header.get("data"), header.get("id")
    if not isinstance(data, str) or not DATA_FOLDER.fullmatch(data):
        message = f"'data' is {data!r:.40}, expected a folder such as 'data.1'"
        raise corrupt_error(message, file)
    if name not in ("frame_dir", "filename"):
        message = f"'id' is {name!r:.40}, expected 'frame_dir' or 'filename'"
        raise corrupt_error(message, file)
    counts = [("bytes", header.get("bytes"))]
    if header.get("splits", 0) is not None:
        counts.append(("splits", header.get("splits")))
    for key, value in counts:
        if not isinstance(value, dict) or any(
            type(count) is not int or not 0 <= count < 2**62 for count in value.values()
        ):
            raise corrupt_error(f"{key!r} does not map names to numbers", file)
    files = set(header["bytes"])
    missing, unknown = _FILES - files, files - _FILES - _OPTIONAL_FILES
    for problem, names in (("is missing", missing), ("is unexpected", unknown)):
        if names:
            raise corrupt_error(f"the file {min(names)!r:.80} {problem}", file)


def check_arrays(
    folder: str,
    header: dict[str, Any],
    index: np.ndarray,
    fields: NpyRows,
    splits: NpyRows,
    keypoint: NpyRows,
    score: NpyRows | None,
) -> None:
    """Check that the arrays of a store are consistent.

    Args:
        folder: data folder of the store.
        header: result of `read_header`.
        index, fields, splits, keypoint, score: the arrays; `score` is None without
            scores.

    Raises:
        DataError: an array is inconsistent with the others (kind `corrupt`).
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
            file = f"{folder}/{name}.npy"
            raise corrupt_error(f"the array has the wrong shape {shape}", file)
    persons, frames = index["persons"].astype(np.int64), index["frames"]
    file = f"{folder}/index.npy"
    if (persons < 0).any() or (frames < 0).any():
        message = "the index contains negative numbers of persons or frames"
        raise corrupt_error(message, file)
    for first, count, end in (
        (index["row"], persons * frames, len(keypoint)),
        (index["text"], index["characters"], len(fields)),
    ):
        # `first + count` may overflow 64 bits.
        if ((first < 0) | (count < 0) | (count > end) | (first > end - count)).any():
            raise corrupt_error("the index refers to rows that do not exist", file)


def check_replaceable(path: str) -> None:
    """Check that the output path of a store does not exist, or is a store to replace.

    Raises:
        DataError: the path exists and is not a packed store (kind `exists`).
    """
    folder = Path(path)
    if folder.exists() and not (
        folder.is_dir()
        and all(item.name.startswith((HEADER, "data.")) for item in folder.iterdir())
    ):
        raise DataError(
            "the output path exists and is not a packed store. Choose another path, or "
            "remove it.",
            kind="exists",
            file=path,
        )


def is_unfinished(path: str) -> bool:
    """Return whether a path is a store that has not been written completely."""
    return Path(path).is_dir() and not Path(path, HEADER).exists()


def new_folder(path: str) -> Path:
    """Create an empty data folder in a new or existing store, and return its path.

    Args:
        path: folder of the store. Its parent must exist.

    Raises:
        DataError: see `check_replaceable`.
    """
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
    """Return the data folder of the store at `path`, or None if it has no header."""
    try:
        name = json.loads(Path(path, HEADER).read_bytes())["data"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    # The caller deletes this folder, so never return a path outside the store.
    valid = isinstance(name, str) and DATA_FOLDER.fullmatch(name)
    return Path(path, name) if valid else None
