"""Selection of single persons and pairs in sequences with many persons.

Most networks take one or two persons. Each person and each pair of a larger group can be
predicted separately, from the first to the last frame in which they are present.
"""

from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..annotations import Sample


class Group(NamedTuple):
    """Selection `keypoint[rows, start:stop]` of persons and frames.

    Attributes:
        rows: indices of the persons along axis M of `keypoint` [M, T, V, C].
        start, stop: range of frames; `stop` is exclusive.
    """

    rows: tuple[int, ...]
    start: int
    stop: int

    def crop(self, sample: Sample) -> Sample:
        """Return a copy of a sample with only the persons and frames of the group."""
        rows, frames = list(self.rows), slice(self.start, self.stop)
        cropped = dict(sample, total_frames=self.stop - self.start)
        for key in ("keypoint", "keypoint_score"):
            if sample.get(key) is not None:
                cropped[key] = sample[key][rows, frames]
        return cropped


def all_persons(keypoint: np.ndarray) -> Group:
    """Return a group of all persons in all frames of `keypoint` [M, T, V, C]."""
    return Group(tuple(range(len(keypoint))), 0, keypoint.shape[1])


def single_persons(keypoint: np.ndarray) -> list[Group]:
    """Return a group for each person that is present in at least one frame.

    Args:
        keypoint: [M, T, V, C]; a joint that is exactly zero is absent.
    """
    present: NDArray[np.bool_] = np.any(keypoint, axis=(-2, -1))  # [M, T]
    return [_span((row,), frames) for row, frames in enumerate(present) if frames.any()]


def closest_pairs(keypoint: np.ndarray, max_pairs: int) -> list[Group]:
    """Return groups for the closest pairs of persons with common frames, closest first.

    The distance of a pair is the distance between the mean joint positions of the two
    persons, averaged over the common frames and divided by the size of the larger person.
    The size is the largest extent of a person along an axis. Due to this division, pairs
    far from the camera do not appear closer in images.

    Args:
        keypoint: [M, T, V, C] in one coordinate system for all persons.
        max_pairs: maximum number of pairs to return.
    """
    detected: NDArray[np.bool_] = np.any(keypoint, axis=-1)  # [M, T, V]
    present: NDArray[np.bool_] = np.any(detected, axis=-1)  # [M, T]
    # Half precision would overflow in the sums.
    points, mask = keypoint.astype(np.float64), detected[..., None]
    centers = points.sum(2) / detected.sum(-1).clip(min=1)[..., None]  # [M, T, C]
    low = np.where(mask, points, np.inf).min(2)
    high = np.where(mask, points, -np.inf).max(2)
    extent = np.where(present, (high - low).max(-1), 0)
    sizes = extent.sum(1) / present.sum(1).clip(min=1)  # [M]
    pairs = []
    for a, b in combinations(range(len(present)), 2):
        both = present[a] & present[b]
        if both.any():
            distances = np.linalg.norm(centers[a, both] - centers[b, both], axis=-1)
            distance = distances.mean() / max(sizes[a], sizes[b], 1e-9)
            pairs.append((distance, _span((a, b), both)))
    return [group for _, group in sorted(pairs)[:max_pairs]]


def _span(rows: tuple[int, ...], present: NDArray[np.bool_]) -> Group:
    frames = np.flatnonzero(present)
    return Group(rows, int(frames[0]), int(frames[-1]) + 1)
