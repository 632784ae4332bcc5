"""Detect test sequences whose content also occurs in the training split.

Frames are compared by 64-bit hashes of their bytes, regardless of the sample ids. The
probability of any hash collision among ten million frames is about one in a million.
Sequences that are reported as identical are also compared byte by byte.

Hashes are computed when they are needed. Memory is required for one hash per sequence, and
for the hashes of the frames of one test split (12 bytes per frame).
"""

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..io.progress import progress
from .columns import Column

Name = TypeVar("Name", bound=Hashable)


@dataclass(frozen=True)
class Leak(Generic[Name]):
    """Test sequence that shares frames with the training split.

    Attributes:
        tested: id of the test sequence.
        trained: id of the identical training sequence, or else of the training sequence
            that contains most of the shared frames.
        shared: number of test frames that occur in any training sequence.
        frames: number of frames in the test sequence.
        identical: whether the two sequences have the same bytes.
    """

    tested: Name
    trained: Name
    shared: int
    frames: int
    identical: bool

    @property
    def mostly(self) -> bool:
        """True if more than half of the test frames occur in training sequences."""
        return 2 * self.shared > self.frames


@dataclass
class FrameHashes(Generic[Name]):
    """Comparison of sequences by hashes of their frames.

    Args:
        keypoints: `keypoint` array [M, T, V, C] of each sample id. It may read the
            arrays from a file on access.
    """

    keypoints: Mapping[Name, np.ndarray]

    def of(self, name: Name) -> np.ndarray:
        """Return the frame hashes of a sequence, int64 [T]; 0 for all-zero frames."""
        return hash_frames(self.keypoints[name])

    def groups(
        self, names: Iterable[Name], hashes: NDArray[np.int64] | None = None
    ) -> list[list[Name]]:
        """Return groups of two or more ids whose sequences are identical.

        Args:
            names: ids of the sequences. Sequences without persons are ignored.
            hashes: hash of each sequence, [sequences]; 0 for sequences without persons.
                By default, hashes are computed.
        """
        names = list(names)
        if hashes is None:
            hashes = np.array([sequence_hash(self.of(name)) for name in names], int)
        values, counts = np.unique(hashes, return_counts=True)
        repeated = values[(counts > 1) & (values != 0)]
        groups_of: dict[int, list[list[Name]]] = {}
        for number in np.flatnonzero(np.isin(hashes, repeated)):
            name = names[number]
            # Equal hashes are only candidates: compare the arrays.
            candidates = groups_of.setdefault(int(hashes[number]), [])
            for group in candidates:
                if self._same(group[0], name):
                    group.append(name)
                    break
            else:
                candidates.append([name])
        return [group for groups in groups_of.values() for group in groups if group[1:]]

    def leaks(self, train: Sequence[Name], val: Sequence[Name]) -> Iterator[Leak[Name]]:
        """Iterate over one Leak for each id in `val` that shares frames with `train`."""
        if not len(train) or not len(val):
            return
        # Hashes of test frames, and the first training sequence that contains each.
        frames, sequences = self._test_hashes(val)
        owners = np.full(len(frames), len(train), np.int32)
        copies: dict[int, list[int]] = {}  # sequence hash -> training sequences
        for number, name in enumerate(progress(train, "comparing", unit="sample")):
            hashes = self.of(name)
            index = _find(frames, hashes)
            if len(index):
                owners[index] = np.minimum(owners[index], number)
                of_sequence = sequence_hash(hashes)
                if len(_find(sequences, np.array([of_sequence]))):
                    copies.setdefault(of_sequence, []).append(number)
        if (owners == len(train)).all():
            return
        for name in progress(val, "comparing", unit="sample"):
            hashes = self.of(name)
            owner = owners[np.searchsorted(frames, hashes)]
            owner = owner[(owner < len(train)) & (hashes != 0)]
            if not len(owner):
                continue
            same = next(
                (
                    number
                    for number in copies.get(sequence_hash(hashes), ())
                    if self._same(train[number], name)
                ),
                None,
            )
            yield Leak(
                tested=name,
                trained=train[
                    int(np.bincount(owner).argmax()) if same is None else same
                ],
                shared=len(owner),
                frames=len(hashes),
                identical=same is not None,
            )

    def _test_hashes(
        self, val: Sequence[Name]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the sorted frame hashes and sequence hashes of test sequences."""
        frames, sequences = Column(np.int64), Column(np.int64)
        for name in progress(val, "comparing", unit="sample"):
            hashes = self.of(name)
            frames.extend(hashes.tolist())
            sequences.append(sequence_hash(hashes))
        return np.unique(frames.array), np.unique(sequences.array)

    def _same(self, left: Name, right: Name) -> bool:
        first, second = self.keypoints[left], self.keypoints[right]
        return first.shape == second.shape and first.tobytes() == second.tobytes()


def find_leaks(
    keypoints: dict[str, np.ndarray], train: list[str], val: list[str]
) -> dict[str, list[str]]:
    """Find validation sequences whose content also occurs in training sequences.

    Frames without persons (all zero) are ignored.

    Args:
        keypoints: `keypoint` array [M, T, V, C] of each sample id.
        train, val: ids of the training and validation samples.

    Returns:
        Dictionary with three lists of ids in `val`: `identical` if the array equals a
        training sequence, `mostly` if more than half of the frames are training frames,
        and `partly` if at least one frame is a training frame.
    """
    leaks = list(FrameHashes(keypoints).leaks(train, val))
    return {
        "identical": [leak.tested for leak in leaks if leak.identical],
        "mostly": [leak.tested for leak in leaks if leak.mostly],
        "partly": [leak.tested for leak in leaks],
    }


def hash_frames(keypoint: np.ndarray) -> np.ndarray:
    """Return the SipHash of the bytes of each frame, int64 [T]; 0 for all-zero frames.

    Args:
        keypoint: keypoints, [M, T, V, C].
    """
    frames = np.ascontiguousarray(keypoint.swapaxes(0, 1))
    frames = frames.reshape(len(frames), -1)
    raw = frames.view(np.dtype((np.void, frames.shape[1] * frames.itemsize)))
    hashes = np.array([hash(frame) for frame in raw.ravel().tolist()], dtype=np.int64)
    return hashes * frames.any(axis=1)


def _find(values: np.ndarray, searched: np.ndarray) -> NDArray[np.intp]:
    """Return the positions in sorted values of those searched values that they contain."""
    index = np.searchsorted(values, searched).clip(max=len(values) - 1)
    positions: NDArray[np.intp] = index[values[index] == searched]
    return positions


def sequence_hash(hashes: np.ndarray) -> int:
    """Return a hash of the frame hashes of a sequence; 0 if all frames are zero."""
    return hash(hashes.tobytes()) if hashes.any() else 0
