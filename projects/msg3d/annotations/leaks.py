"""Detect test sequences whose content also occurs in the training split.

Frames are compared by 64-bit hashes of their bytes, regardless of the sample ids. The
hashes of 100,000 sequences fit into memory (8 bytes for each of 9 million frames are
70 MB). The probability of any hash collision among so many frames is about one in a
million. Sequences that are reported as identical are also compared byte by byte.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Leak:
    """Test sequence that shares frames with the training split.

    Attributes:
        tested: id of the test sequence.
        trained: id of the identical training sequence, or else of the training sequence
            that contains most of the shared frames.
        shared: number of test frames that occur in any training sequence.
        frames: number of frames in the test sequence.
        identical: whether the two sequences have the same bytes.
    """

    tested: str
    trained: str
    shared: int
    frames: int
    identical: bool

    @property
    def mostly(self) -> bool:
        """True if more than half of the test frames occur in training sequences."""
        return 2 * self.shared > self.frames


@dataclass
class FrameHashes:
    """Hashes of the frames of sequences, computed once per sequence.

    Args:
        keypoints: `keypoint` array [M, T, V, C] of each sample id.
    """

    keypoints: Mapping[str, np.ndarray]
    _cache: dict[str, np.ndarray] = field(default_factory=dict, repr=False)

    def of(self, name: str) -> np.ndarray:
        """Return the frame hashes of a sequence, int64 [T]; 0 for all-zero frames."""
        if name not in self._cache:
            self._cache[name] = _hash_frames(self.keypoints[name])
        return self._cache[name]

    def groups(self, names: Iterable[str]) -> list[list[str]]:
        """Return groups of two or more ids whose sequences are identical.

        Sequences without persons are ignored.
        """
        groups_of: dict[bytes, list[list[str]]] = {}
        for name in names:
            hashes = self.of(name)
            if not hashes.any():
                continue
            # Equal hashes are only candidates: compare the arrays.
            candidates = groups_of.setdefault(hashes.tobytes(), [])
            for group in candidates:
                if _same(self.keypoints[group[0]], self.keypoints[name]):
                    group.append(name)
                    break
            else:
                candidates.append([name])
        return [group for groups in groups_of.values() for group in groups if group[1:]]

    def leaks(self, train: list[str], val: list[str]) -> list[Leak]:
        """Return one Leak for each id in `val` that shares frames with `train`."""
        if not train or not val:
            return []
        train_hashes = [self.of(name) for name in train]
        owners = np.repeat(np.arange(len(train)), list(map(len, train_hashes)))
        unique, first = np.unique(np.concatenate(train_hashes), return_index=True)
        owners = owners[first]
        sequences: dict[bytes, list[str]] = {}
        for name, hashes in zip(train, train_hashes, strict=True):
            sequences.setdefault(hashes.tobytes(), []).append(name)

        leaks = []
        for name in val:
            hashes = self.of(name)
            index = np.searchsorted(unique, hashes).clip(max=len(unique) - 1)
            shared = (unique[index] == hashes) & (hashes != 0)
            if not shared.any():
                continue
            keypoint = self.keypoints[name]
            identical = [
                other
                for other in sequences.get(hashes.tobytes(), [])
                if _same(self.keypoints[other], keypoint)
            ]
            main_owner = np.bincount(owners[index[shared]]).argmax()
            leaks.append(
                Leak(
                    tested=name,
                    trained=identical[0] if identical else train[main_owner],
                    shared=int(shared.sum()),
                    frames=len(hashes),
                    identical=bool(identical),
                )
            )
        return leaks


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
    leaks = FrameHashes(keypoints).leaks(train, val)
    return {
        "identical": [leak.tested for leak in leaks if leak.identical],
        "mostly": [leak.tested for leak in leaks if leak.mostly],
        "partly": [leak.tested for leak in leaks],
    }


def _hash_frames(keypoint: np.ndarray) -> np.ndarray:
    """Return the SipHash of the bytes of each frame, int64 [T]; 0 for all-zero frames."""
    frames = np.ascontiguousarray(keypoint.swapaxes(0, 1))
    frames = frames.reshape(len(frames), -1)
    raw = frames.view(np.dtype((np.void, frames.shape[1] * frames.itemsize)))
    hashes = np.array([hash(frame) for frame in raw.ravel().tolist()], dtype=np.int64)
    return hashes * frames.any(axis=1)


def _same(left: np.ndarray, right: np.ndarray) -> bool:
    return left.shape == right.shape and left.tobytes() == right.tobytes()
