"""Selection of persons for the input of a network.

A file can contain any number of persons, but the input of a network is limited to a few.
Trackers number persons in order of detection, so the first person can be a bystander, or a
chair that was detected as a person. Therefore, persons are sorted by one of the following
rules, best first:

- `energy`: standard deviation of the joints over all frames with the person, summed over
  coordinates. MS-G3D and 2s-AGCN use this rule for NTU RGB+D.
- `score`: mean score over all frames and joints. The score is 0 in frames without the
  person.
- `frame_score`: mean score, sorted separately in each frame. ST-GCN uses this rule for
  Kinetics, which has no tracks. A row contains different persons over time.
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
    """Keep the persons who rank highest by a rule, best first.

    Persons with equal rank keep their order. Absent joints, which are exactly zero, are
    ignored. Persons who are never present are dropped. If no person is present, the result
    has a single row of zeros.

    Args:
        keypoint: keypoints in any unit, [M, T, V, C].
        num_persons: maximum number of persons to keep, M'.
        by: ranking rule, a key of `RULES`.
        score: scores, [M, T, V]. Required by the rules `score` and `frame_score`.

    Returns:
        Copies of the keypoints [M', T, V, C] and scores [M', T, V], or None without
        scores.

    Raises:
        DataError: the rule requires scores, but `score` is None (kind `score`).
    """
    if "score" in by and score is None:
        raise DataError(
            f"'keypoint_score' is missing, but the rule {by!r} requires it. Select persons "
            "before scores are merged into 'keypoint', or use the rule 'energy', 'area', "
            "or 'length'.",
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
    """Pad or drop persons, and separate clips, like MMAction2's FormatGCNInput.

    Args:
        keypoint: keypoints, [M, num_clips * T, V, C].
        num_persons: number of persons, M'. The first persons are kept.
        mode: 'zero' to pad with zeros, or 'loop' to repeat a single person.
        score: scores, [M, num_clips * T, V], to append as the last channel.
        num_clips: number of clips in the sequence.

    Returns:
        Contiguous array [num_clips, M', T, V, C'], where C' is C + 1 with scores, and C
        otherwise.
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


# Callables with arguments (keypoint, score or None, mask of present joints [M, T, V]) that
# return the value of each person, [M], or [M, T] for `frame_score`.
RULES: dict[str, Callable[[np.ndarray, Any, np.ndarray], np.ndarray]] = {
    "energy": _energy,
    "score": _score,
    "frame_score": _frame_score,
    "area": _area,
    "length": _length,
}
