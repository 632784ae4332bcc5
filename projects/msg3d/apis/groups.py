"""Single persons and pairs in a sequence of many persons.

A network takes one or two persons. In a scene with more, each person and each pair is
predicted separately, from the first to the last frame in which they are present.
"""

from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..annotations import Sample


class Group(NamedTuple):
    """Some persons over some frames: `keypoint[rows, start:stop]`."""

    rows: tuple[int, ...]
    start: int
    stop: int

    def of(self, sample: Sample) -> Sample:
        """The sample with these persons and frames only, its arrays copied."""
        rows, frames = list(self.rows), slice(self.start, self.stop)
        cut = dict(sample, total_frames=self.stop - self.start)
        for key in ("keypoint", "keypoint_score"):
            if sample.get(key) is not None:
                cut[key] = sample[key][rows, frames]
        return cut


def everybody(keypoint: np.ndarray) -> Group:
    """All persons in all frames of `keypoint` [M, T, V, C]."""
    return Group(tuple(range(len(keypoint))), 0, keypoint.shape[1])


def single_persons(keypoint: np.ndarray) -> list[Group]:
    """Each person that is present in some frame.

    Args:
        keypoint: [M, T, V, C]; a joint that is exactly zero is absent.
    """
    seen: NDArray[np.bool_] = np.any(keypoint, axis=(-2, -1))  # [M, T]
    return [_span((row,), seen[row]) for row in range(len(seen)) if seen[row].any()]


def closest_pairs(keypoint: np.ndarray, most: int) -> list[Group]:
    """The closest pairs of persons that are present together, closest first.

    The distance is that between the means of their joints, averaged over the common
    frames, relative to the larger height or width of the two persons. Two persons far
    from the camera are therefore not closer just by perspective.

    Args:
        keypoint: [M, T, V, C] in one coordinate system for all persons.
        most: largest number of pairs.
    """
    present: NDArray[np.bool_] = np.any(keypoint, axis=-1)  # [M, T, V]
    seen: NDArray[np.bool_] = np.any(present, axis=-1)
    # Half precision would overflow in the sums.
    points, there = keypoint.astype(np.float64), present[..., None]
    centers = points.sum(2) / present.sum(-1).clip(min=1)[..., None]  # [M, T, C]
    low = np.where(there, points, np.inf).min(2)
    high = np.where(there, points, -np.inf).max(2)
    extent = np.where(seen, (high - low).max(-1), 0)
    sizes = extent.sum(1) / seen.sum(1).clip(min=1)  # [M]
    found = []
    for one, other in combinations(range(len(seen)), 2):
        both = seen[one] & seen[other]
        if both.any():
            apart = np.linalg.norm(centers[one, both] - centers[other, both], axis=-1)
            distance = apart.mean() / max(sizes[one], sizes[other], 1e-9)
            found.append((distance, _span((one, other), both)))
    return [group for _, group in sorted(found)[:most]]


def _span(rows: tuple[int, ...], seen: NDArray[np.bool_]) -> Group:
    frames = np.flatnonzero(seen)
    return Group(rows, int(frames[0]), int(frames[-1]) + 1)
