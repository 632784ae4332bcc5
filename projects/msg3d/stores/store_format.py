"""Folder of a packed store: names, version, and header, checked before they are used.

The header `store.json` names the data folder; what it claims is compared with the files.
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
# `row` is the first of persons x frames rows. `label` is -1 if not `labelled`, and the
# largest if there are `several` (a list, for multi_class). `targets` is their number,
# and `text` the first of the sample's `characters` of JSON.
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


def damaged(
    message: str, file: str, kind: str = "corrupt", sample: int | None = None
) -> DataError:
    """Return the error for a damaged file of a store."""
    message = f"{message}. Copy the store again, or pack it again."
    return DataError(message, kind=kind, file=file, sample=sample)


def read_header(path: str) -> dict[str, Any]:
    """Read and check `store.json`.

    Raises:
        DataError: there is no store (`not-found`, `wrong-path`, `wrong-file-type`), or
            it is unreadable (`io`), damaged (`corrupt`), or of another version
            (`version`).
    """
    # For a `Path`, an empty text is the current folder.
    if not os.path.exists(path):  # noqa: PTH110
        raise DataError(
            "packed store does not exist: correct its path (`ann_file` of a config), or make it with "
            "`msg3d pack`",
            kind="not-found",
            file=path,
        )
    if not Path(path).is_dir():
        raise DataError(
            "is a file, expected the folder that `msg3d pack` writes (a .pkl is for "
            "type='SkeletonDataset')",
            kind="wrong-path",
            file=path,
        )
    file = os.path.join(path, HEADER)  # noqa: PTH118  (errors show the path as it is)
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
        raise damaged("is not valid JSON", file) from error
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise DataError(
            "was written by another program: name the folder that `msg3d pack` writes",
            kind="wrong-file-type",
            file=file,
        )
    if header.get("version") != VERSION:
        raise DataError(
            f"is of version {header.get('version')!r}, but this msg3d reads version "
            f"{VERSION}: pack it again, or update msg3d",
            kind="version",
            file=file,
        )
    _check_header(header, file)
    return header


def _check_header(header: dict[str, Any], file: str) -> None:
    """Check the type of every entry that is used."""
    data, name = header.get("data"), header.get("id")
    if not isinstance(data, str) or not DATA_FOLDER.fullmatch(data):
        raise damaged(f"names the data folder {data!r:.40}", file)
    if name not in ("frame_dir", "filename"):
        raise damaged(f"names the field of the ids {name!r:.40}", file)
    counts = [("bytes", header.get("bytes"))]
    if header.get("splits", 0) is not None:
        counts.append(("splits", header.get("splits")))
    for key, value in counts:
        if not isinstance(value, dict) or any(
            type(count) is not int or not 0 <= count < 2**62 for count in value.values()
        ):
            raise damaged(f"has {key!r} that are not names with numbers", file)
    files = set(header["bytes"])
    if _FILES - files or files - _FILES - _OPTIONAL_FILES:
        raise damaged(f"lists the files {sorted(files)!s:.200}", file)


def check_arrays(
    folder: str,
    header: dict[str, Any],
    index: np.ndarray,
    fields: NpyRows,
    splits: NpyRows,
    keypoint: NpyRows,
    score: NpyRows | None,
) -> None:
    """Check that the arrays fit one another, in one pass over the index.

    Raises:
        DataError: `corrupt`, for the first array that does not fit.
    """
    ids = sum((header["splits"] or {}).values())
    scored = None if score is None else score.shape
    for shape, name, fits in (
        (keypoint.shape, "keypoint", len(keypoint.shape) == 3),
        (scored, "keypoint_score", scored in (None, keypoint.shape[:2])),
        (splits.shape, "splits", splits.shape == (ids,)),
        (fields.shape, "fields", len(fields.shape) == 1),
    ):
        if not fits:
            raise damaged(f"has shape {shape}", f"{folder}/{name}.npy")
    persons, frames = index["persons"].astype(np.int64), index["frames"]
    file = f"{folder}/index.npy"
    if (persons < 0).any() or (frames < 0).any():
        raise damaged("has negative numbers of persons or frames", file)
    for first, count, end in (
        (index["row"], persons * frames, len(keypoint)),
        (index["text"], index["characters"], len(fields)),
    ):
        # Not a sum, which may exceed 64 bits.
        if ((first < 0) | (count < 0) | (count > end) | (first > end - count)).any():
            raise damaged("names rows that do not exist", file)


def refuse_foreign(path: str) -> None:
    """Refuse to write a store over something else.

    Raises:
        DataError: `exists`, for a file or a folder that is not a packed store.
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
    """Create an empty data folder, in a store that may already exist."""
    refuse_foreign(path)
    store = Path(path)
    if not store.exists():
        store.mkdir()
    number = 1
    while True:
        try:
            folder = store / f"data.{number}"
            folder.mkdir()
            return folder
        except FileExistsError:  # in use, or another writer's
            number += 1


def data_folder(path: str) -> Path | None:
    """Return the data folder of the store at `path`; None if it names none."""
    try:
        name = json.loads(Path(path, HEADER).read_bytes())["data"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    # The folder is about to be deleted.
    named = isinstance(name, str) and DATA_FOLDER.fullmatch(name)
    return Path(path, name) if named else None
