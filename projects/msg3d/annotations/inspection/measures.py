"""Measurements of one sample, for finding faults, the report, and the picture."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..markers import marked_joints
from ..samples import Sample


@dataclass(frozen=True, slots=True)
class Measures:
    """Measurements of one sample. A joint is absent if it is exactly zero.

    Attributes:
        persons, frames: M and T of `keypoint`.
        dtype: dtype of `keypoint`, as text.
        present: whether each person is present in any frame, bool [M].
        empty_frames: whether each frame has no person, bool [T].
        person_frames: number of pairs (person, frame) in which the person is present.
        missing: number of these pairs in which each joint is absent, int [V].
        low, high: range of the coordinates of present joints [C]; NaN without persons.
        size: longest side of the bounding box of a person, in the unit of `keypoint`,
            as the median over all `person_frames`; NaN without persons.
        still: whether the sample has more than one frame, and all are identical.
        scores: lowest and highest `keypoint_score`; None without scores.
        marked: number of joints with each marker of missing joints (see `markers`).
        hidden: number of joints with score 0 and a position.
    """

    persons: int
    frames: int
    dtype: str
    present: NDArray[np.bool_]
    empty_frames: NDArray[np.bool_]
    person_frames: int
    missing: np.ndarray
    low: np.ndarray
    high: np.ndarray
    size: float
    still: bool
    scores: tuple[float, float] | None
    marked: dict[float, int]
    hidden: int


def is_present(keypoint: np.ndarray) -> NDArray[np.bool_]:
    """Return a mask [M, T, V] of the joints with a nonzero coordinate."""
    # `any` over such a short axis is ten times slower.
    present: NDArray[np.bool_] = np.logical_or.reduce(
        [*np.moveaxis(keypoint != 0, -1, 0)]
    )
    return present


def measure(sample: Sample, scored: bool) -> Measures:
    """Measure a sample of valid form.

    Args:
        sample: the sample.
        scored: whether to measure `keypoint_score`, too.
    """
    keypoint = sample["keypoint"]
    dtype = str(keypoint.dtype)
    # Differences of float16 and of integers would overflow.
    keypoint = keypoint.astype(np.promote_types(keypoint.dtype, np.float32), copy=False)
    present = is_present(keypoint)
    occupied: NDArray[np.bool_] = np.any(present, axis=-1)  # [M, T]
    # NumPy is fastest if the longest axis (persons and frames) is the last.
    poses = np.ascontiguousarray(keypoint[occupied].T)  # [C, V, P]
    joints = np.ascontiguousarray(present[occupied].T)  # [V, P]
    low = high = np.full((len(poses), 1), np.nan)
    if poses.size:
        low = np.where(joints, poses, np.inf).min(axis=1)  # [C, P]
        high = np.where(joints, poses, -np.inf).max(axis=1)
    score = sample["keypoint_score"] if scored else None
    return Measures(
        persons=keypoint.shape[0],
        frames=keypoint.shape[1],
        dtype=dtype,
        present=np.any(occupied, axis=1),
        empty_frames=~np.any(occupied, axis=0),
        person_frames=joints.shape[1],
        missing=np.sum(~joints, axis=1),
        low=low.min(axis=1),
        high=high.max(axis=1),
        size=float(np.median((high.astype(np.float64) - low).max(axis=0))),
        still=keypoint.shape[1] > 1
        and bool((keypoint[:, 1:] == keypoint[:, :1]).all()),
        scores=None if score is None else (float(score.min()), float(score.max())),
        marked={
            marker: int(mask.sum()) for marker, mask in marked_joints(keypoint).items()
        },
        hidden=0 if score is None else int(((score == 0) & present).sum()),
    )
