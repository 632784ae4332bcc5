"""Measurements of samples, for finding faults, the report, and the picture."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..columns import Column
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


class Row(NamedTuple):
    """Measurements of one sample in a `MeasureTable`.

    Attributes:
        persons, frames: M and T of `keypoint`.
        present: number of persons who are present in any frame.
        empty_frames: number of frames without a person.
        person_frames, size, hidden: see `Measures`.
    """

    persons: int
    frames: int
    present: int
    empty_frames: int
    person_frames: int
    size: float
    hidden: int


@dataclass
class Marked:
    """Joints with one marker of missing joints.

    Attributes:
        sample: position of the first sample with the marker.
        samples, joints: number of samples and of joints with the marker.
    """

    sample: int
    samples: int = 0
    joints: int = 0


@dataclass
class MeasureTable:
    """Measurements of all samples of valid form, in about 70 bytes per sample.

    Attributes:
        sample: positions of the samples among all ids, [samples].
        persons, frames, present, empty_frames, person_frames, size, hidden: columns of
            the values in `Row`, [samples].
        low, high: ranges of the coordinates, [samples, C].
        missing: number of `person_frames` of all samples in which each joint is absent,
            int [V]; 0 without samples.
        dtypes: number of samples of each dtype.
        scores: lowest and highest `keypoint_score`; None without scores.
        marked: joints with each marker of missing joints.
    """

    sample: Column = field(default_factory=lambda: Column(np.int32))
    persons: Column = field(default_factory=lambda: Column(np.int64))
    frames: Column = field(default_factory=lambda: Column(np.int64))
    present: Column = field(default_factory=lambda: Column(np.int32))
    empty_frames: Column = field(default_factory=lambda: Column(np.int32))
    person_frames: Column = field(default_factory=lambda: Column(np.int32))
    size: Column = field(default_factory=lambda: Column(np.float64))
    hidden: Column = field(default_factory=lambda: Column(np.int32))
    low: Column = field(default_factory=Column)
    high: Column = field(default_factory=Column)
    missing: np.ndarray | int = 0
    dtypes: Counter[str] = field(default_factory=Counter)
    scores: tuple[float, float] | None = None
    marked: dict[float, Marked] = field(default_factory=dict)

    def __len__(self) -> int:
        return sum(self.dtypes.values())

    def values(self) -> Iterator[Row]:
        """Iterate over the measurements of each sample."""
        columns = (getattr(self, name).array.tolist() for name in Row._fields)
        return map(Row._make, zip(*columns, strict=True))

    def add(self, sample: int, measures: Measures) -> None:
        """Add a sample.

        Args:
            sample: position of the sample among all ids.
            measures: its measurements. All samples must have the same V and C.
        """
        self.sample.append(sample)
        for name in ("persons", "frames", "person_frames", "size", "hidden"):
            getattr(self, name).append(getattr(measures, name))
        self.present.append(np.count_nonzero(measures.present))
        self.empty_frames.append(np.count_nonzero(measures.empty_frames))
        self.low.append(measures.low)
        self.high.append(measures.high)
        self.missing = self.missing + measures.missing
        self.dtypes[measures.dtype] += 1
        if measures.scores:
            low, high = self.scores or measures.scores
            self.scores = min(low, measures.scores[0]), max(high, measures.scores[1])
        for marker, joints in measures.marked.items():
            marked = self.marked.setdefault(marker, Marked(sample))
            marked.samples += 1
            marked.joints += joints


def is_present(keypoint: np.ndarray) -> NDArray[np.bool_]:
    """Return a mask [M, T, V] of the joints with a nonzero coordinate."""
    # `any` over such a short axis is ten times slower.
    nonzero = keypoint != 0
    present: NDArray[np.bool_] = nonzero[..., 0]
    for channel in range(1, keypoint.shape[-1]):
        present = present | nonzero[..., channel]
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
    poses, joints = keypoint[occupied].T, present[occupied].T
    poses, joints = map(np.ascontiguousarray, (poses, joints))  # (C, V, P), (V, P)
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
        missing=joints.shape[1] - joints.sum(axis=1),
        low=low.min(axis=1),
        high=high.max(axis=1),
        size=_median((high.astype(np.float64) - low).max(axis=0)),
        still=_is_still(keypoint),
        scores=None if score is None else (float(score.min()), float(score.max())),
        marked={
            marker: int(mask.sum()) for marker, mask in marked_joints(keypoint).items()
        },
        hidden=0 if score is None else int(((score == 0) & present).sum()),
    )


def _median(values: np.ndarray) -> float:
    """Return the same as `np.median`, several times faster for few values."""
    values = np.sort(values)  # NaN is last
    middle = values[(len(values) - 1) // 2 : len(values) // 2 + 1]
    return float(middle.mean()) if values[-1] == values[-1] else float("nan")


def _is_still(keypoint: np.ndarray) -> bool:
    """Return whether there are several frames, and all are identical."""
    if keypoint.shape[1] < 2 or (keypoint[:, 1] != keypoint[:, 0]).any():
        return False
    return bool((keypoint[:, 1:] == keypoint[:, :1]).all())
