"""The numbers of one sample, read once for faults, overview and picture."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Measures:
    """What one sample holds. Absent is what is exactly zero.

    Attributes:
        persons, frames: M and T of the array.
        dtype: of `keypoint`, as text.
        seen: [M], whether a person is there in any frame.
        empty_frames: [T], whether nobody is there.
        person_frames: in how many (person, frame) pairs somebody is there.
        missing: [V], in how many of those the joint is absent.
        low, high: [C], of the coordinates of joints that are there; NaN without any.
        size: the longest side of a person's box, the median over `person_frames`;
            NaN without any.
        still: whether there are several frames, all the same.
        scores: lowest and highest of `keypoint_score`, None without it.
    """

    persons: int
    frames: int
    dtype: str
    seen: np.ndarray
    empty_frames: np.ndarray
    person_frames: int
    missing: np.ndarray
    low: np.ndarray
    high: np.ndarray
    size: float
    still: bool
    scores: tuple[float, float] | None


def is_there(keypoint: np.ndarray) -> np.ndarray:
    """[M, T, V], whether any coordinate of a joint is not zero."""
    # Over so short an axis, `any` takes ten times as long.
    return np.logical_or.reduce([*np.moveaxis(keypoint != 0, -1, 0)])


def measure(sample: dict, scored: bool) -> Measures:
    """Measure a sample of good form; `scored` says whether its scores are good too."""
    keypoint = sample["keypoint"]
    dtype = str(keypoint.dtype)
    # float16 and integers overflow where differences are taken.
    keypoint = keypoint.astype(np.promote_types(keypoint.dtype, np.float32), copy=False)
    there = is_there(keypoint)
    somebody = there.any(axis=-1)  # [M, T]
    # The many persons and frames last, over which numpy is quick.
    people = np.ascontiguousarray(keypoint[somebody].T)  # [C, V, P]
    joints = np.ascontiguousarray(there[somebody].T)  # [V, P]
    low = high = np.full((len(people), 1), np.nan)
    if people.size:
        low = np.where(joints, people, np.inf).min(axis=1)  # [C, P]
        high = np.where(joints, people, -np.inf).max(axis=1)
    score = sample["keypoint_score"] if scored else None
    return Measures(
        persons=keypoint.shape[0],
        frames=keypoint.shape[1],
        dtype=dtype,
        seen=somebody.any(axis=1),
        empty_frames=~somebody.any(axis=0),
        person_frames=joints.shape[1],
        missing=np.sum(~joints, axis=1),
        low=low.min(axis=1),
        high=high.max(axis=1),
        size=float(np.median((high.astype(np.float64) - low).max(axis=0))),
        still=keypoint.shape[1] > 1
        and bool((keypoint[:, 1:] == keypoint[:, :1]).all()),
        scores=None if score is None else (float(score.min()), float(score.max())),
    )
