"""What a packed store says of itself, compared with its files before it is believed."""

from typing import Any

import numpy as np

from ..io.npy import NpyRows
from .store_format import DATA_FOLDER, HEADER


def check_header(header: dict[str, Any]) -> None:
    """The entries of `store.json` that are used, each of its kind.

    Raises:
        ValueError: the first that is not.
    """
    data, name = header.get("data"), header.get("id")
    if not isinstance(data, str) or not DATA_FOLDER.fullmatch(data):
        raise ValueError(f"{HEADER} names the folder {data!r:.40}")
    if name not in ("frame_dir", "filename"):
        raise ValueError(f"{HEADER} names the ids {name!r:.40}")
    if header.get("splits", 0) is not None:
        _check_counts(header.get("splits"), "splits")
    _check_counts(header.get("bytes"), "bytes")
    needed = {f"{one}.npy" for one in ("keypoint", "index", "fields", "splits")}
    needed, found = {*needed, "meta.json"}, set(header["bytes"])
    if needed - found or found - needed - {"keypoint_score.npy"}:
        raise ValueError(f"{HEADER} lists the files {str(sorted(found)):.200}")


def check_arrays(
    header: dict[str, Any],
    index: np.ndarray,
    fields: NpyRows,
    splits: NpyRows,
    keypoint: NpyRows,
    score: NpyRows | None,
) -> None:
    """That the arrays fit one another; the index is looked through once.

    Raises:
        ValueError: the first that does not.
    """
    ids = sum((header["splits"] or {}).values())
    for array, name, fits in (
        (keypoint, "keypoint", len(keypoint.shape) == 3),
        (score, "keypoint_score", score is None or score.shape == keypoint.shape[:2]),
        (splits, "splits", splits.shape == (ids,)),
        (fields, "fields", len(fields.shape) == 1),
    ):
        if not fits:
            raise ValueError(f"{name}.npy has shape {array.shape}")
    persons, frames = index["persons"].astype(np.int64), index["frames"]
    if (persons < 0).any() or (frames < 0).any():
        raise ValueError("index.npy names less than no frame")
    for first, count, end in (
        (index["row"], persons * frames, len(keypoint)),
        (index["text"], index["characters"], len(fields)),
    ):
        # No sum: it may go beyond 64 bits.
        if ((first < 0) | (count < 0) | (count > end) | (first > end - count)).any():
            raise ValueError("index.npy names rows that are not there")


def _check_counts(found: Any, key: str) -> None:
    if not isinstance(found, dict) or any(
        type(one) is not int or not 0 <= one < 2**62 for one in found.values()
    ):
        raise ValueError(f"{HEADER}'s {key!r} are no names with numbers")
