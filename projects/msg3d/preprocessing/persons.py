"""Select the persons that the network sees.

A file may contain any number of persons, and the network has room for a few. Trackers
number persons in order of detection: the first may be a bystander, or a chair that was
detected as a person. So persons are sorted by one of these rules, best first:

- `energy`: the standard deviation of the joints over all frames with the person, summed
  over coordinates. MS-G3D and 2s-AGCN select the persons of NTU RGB+D by it.
- `score`: mean score over all frames and joints; 0 in frames without the person.
- `frame_score`: the same, but sorted separately in each frame. ST-GCN's rule for
  Kinetics, which has no tracks: a row then shows different persons over time.
- `area`: mean area of the bounding box in x and y, over the frames with the person.
- `length`: number of frames with the person.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from ..errors import DataError

__all__ = ["RULES", "format_gcn_input", "select_persons"]


def select_persons(
    keypoint: np.ndarray,
    num_persons: int = 2,
    by: str = "energy",
    score: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray | None]:
    """Keep the best persons by a rule, best first.

    Equal persons keep their order. A joint that is exactly zero is absent and ignored.
    Persons without any frame are dropped; if no person is detected, one empty row stays.

    Args:
        keypoint: [M, T, V, C], in any unit.
        num_persons: how many to keep at most, M'.
        by: a key of `RULES`.
        score: [M, T, V], required by the rules `score` and `frame_score`.

    Returns:
        `keypoint` [M', T, V, C] and `score` [M', T, V], None without scores; both are
        copies.

    Raises:
        DataError: the rule requires scores; kind "score".
    """
    if "score" in by and score is None:
        raise DataError(
            f"has no scores, but persons are selected by {by!r}. Select them before "
            "scores are merged into keypoint, or use 'energy', 'area' or 'length'",
            kind="score",
            field="keypoint_score",
        )
    present: np.ndarray = np.any(keypoint, -1)  # (M, T, V)
    detected: np.ndarray = np.any(present, -1)
    value = RULES[by](keypoint, score, present)
    if by != "frame_score":  # one order for all frames: (M, 1)
        value, detected = value[:, None], np.any(detected, 1, keepdims=True)
    order = np.argsort(-np.where(detected, value, -np.inf), axis=0, kind="stable")
    order = order[: min(num_persons, max(detected.sum(0).max(), 1))]  # (M', T or 1)
    frames = np.arange(keypoint.shape[1])
    return keypoint[order, frames], None if score is None else score[order, frames]


def format_gcn_input(
    keypoint: np.ndarray,
    num_persons: int = 2,
    mode: str = "zero",
    score: np.ndarray | None = None,
    num_clips: int = 1,
) -> np.ndarray:
    """Pad or cut the persons, and split the clips, as MMAction2's FormatGCNInput does.

    Args:
        keypoint: [M, num_clips * T, V, C].
        num_persons: M'; the first persons are kept.
        mode: 'zero' to add absent persons, or 'loop' to repeat a single person.
        score: [M, num_clips * T, V], which becomes the last channel.
        num_clips: clips in the sequence.

    Returns:
        [num_clips, M', T, V, C'], contiguous, C' with the score.
    """
    if score is not None:
        keypoint = np.concatenate([keypoint, score[..., None]], axis=-1)
    missing = num_persons - len(keypoint)
    if missing > 0:
        repeat = mode == "loop" and len(keypoint) == 1
        padding = keypoint[:1] if repeat else np.zeros_like(keypoint[:1])
        keypoint = np.concatenate([keypoint, *[padding] * missing])
    keypoint = keypoint[:num_persons]
    persons, frames, joints, channels = keypoint.shape
    shape = (persons, num_clips, frames // num_clips, joints, channels)
    return np.ascontiguousarray(keypoint.reshape(shape).swapaxes(0, 1))


def _energy(
    keypoint: np.ndarray, score: np.ndarray | None, present: np.ndarray
) -> np.ndarray:
    return np.array(
        [
            joints[mask].std(axis=0).sum() if mask.any() else 0
            for joints, mask in zip(keypoint.astype(np.float64), present, strict=True)
        ]
    )


def _score(keypoint: np.ndarray, score: np.ndarray, present: np.ndarray) -> np.ndarray:
    value: np.ndarray = np.mean(_frame_score(keypoint, score, present), 1)
    return value


def _frame_score(
    keypoint: np.ndarray, score: np.ndarray, present: np.ndarray
) -> np.ndarray:
    value: np.ndarray = score.mean(-1, dtype=np.float64) * present.any(-1)
    return value


def _area(
    keypoint: np.ndarray, score: np.ndarray | None, present: np.ndarray
) -> np.ndarray:
    detected, mask = np.any(present, -1), present[..., None]
    points = keypoint[..., :2].astype(np.float64)
    low = np.where(mask, points, np.inf).min(axis=2)  # (M, T, 2)
    high = np.where(mask, points, -np.inf).max(axis=2)
    area = np.where(detected[..., None], high - low, 0).prod(-1)
    value: np.ndarray = area.sum(1) / np.maximum(detected.sum(1), 1)
    return value


def _length(
    keypoint: np.ndarray, score: np.ndarray | None, present: np.ndarray
) -> np.ndarray:
    value: np.ndarray = present.any(-1).sum(1)
    return value


# (keypoint, score or None, present joints [M, T, V]) -> value [M], or [M, T] of
# `frame_score`.
RULES: dict[str, Callable[[np.ndarray, Any, np.ndarray], np.ndarray]] = {
    "energy": _energy,
    "score": _score,
    "frame_score": _frame_score,
    "area": _area,
    "length": _length,
}
