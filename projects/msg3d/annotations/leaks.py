"""Test sequences that a model has seen in training: same bytes, not same names.

Frames are compared by 64-bit hashes of their bytes: 8 bytes a frame are kept, so that
100,000 sequences fit (9 million frames in 70 MB). Two different frames of such a
set have the same hash in about one set of a million; sequences that are said to be
identical are compared byte for byte.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Leak:
    """A tested sequence that shares frames with training.

    Attributes:
        tested: its id.
        trained: id of a training sequence, the identical one if there is one, else
            that with which most of the shared frames are found.
        shared: how many frames occur in any training sequence, of `frames`.
        identical: whether `trained` has the same bytes.
    """

    tested: str
    trained: str
    shared: int
    frames: int
    identical: bool

    @property
    def mostly(self) -> bool:
        """Whether more than half of the frames are training frames."""
        return 2 * self.shared > self.frames


@dataclass
class FrameHashes:
    """The hashes of sequences' frames, each sequence hashed once.

    Args:
        keypoints: id -> [M, T, V, C].
    """

    keypoints: dict[str, np.ndarray]
    _known: dict[str, np.ndarray] = field(default_factory=dict, repr=False)

    def of(self, name: str) -> np.ndarray:
        """int64 [T], 0 for a frame without any person: that is no evidence."""
        if name not in self._known:
            self._known[name] = _hash_frames(self.keypoints[name])
        return self._known[name]

    def groups(self, names: Iterable[str]) -> list[list[str]]:
        """Ids of sequences that are byte for byte the same, where there are several.

        Sequences without any person are left out.
        """
        alike: dict[bytes, list[list[str]]] = {}
        for name in names:
            hashes = self.of(name)
            if not hashes.any():
                continue
            # Equal hashes only propose; the arrays decide.
            candidates = alike.setdefault(hashes.tobytes(), [])
            for group in candidates:
                if _same(self.keypoints[group[0]], self.keypoints[name]):
                    group.append(name)
                    break
            else:
                candidates.append([name])
        return [group for groups in alike.values() for group in groups if group[1:]]

    def leaks(self, train: list[str], val: list[str]) -> list[Leak]:
        """What `val` shares with `train`, in the order of `val`."""
        if not train or not val:
            return []
        trained = [self.of(one) for one in train]
        owners = np.repeat(np.arange(len(train)), [len(one) for one in trained])
        hashes, first = np.unique(np.concatenate(trained), return_index=True)
        owners = owners[first]
        whole: dict[bytes, list[str]] = {}
        for name, one in zip(train, trained, strict=True):
            whole.setdefault(one.tobytes(), []).append(name)

        found = []
        for name in val:
            tested = self.of(name)
            place = np.searchsorted(hashes, tested).clip(max=len(hashes) - 1)
            seen = (hashes[place] == tested) & (tested != 0)
            if not seen.any():
                continue
            keypoint = self.keypoints[name]
            same = [
                one
                for one in whole.get(tested.tobytes(), [])
                if _same(self.keypoints[one], keypoint)
            ]
            most = np.bincount(owners[place[seen]]).argmax()
            found.append(
                Leak(
                    tested=name,
                    trained=same[0] if same else train[most],
                    shared=int(seen.sum()),
                    frames=len(tested),
                    identical=bool(same),
                )
            )
        return found


def find_leaks(
    keypoints: dict[str, np.ndarray], train: list[str], val: list[str]
) -> dict[str, list[str]]:
    """Sequences of `val` whose content is also in `train`.

    A frame without any person (all zero) is no evidence and does not count.

    Args:
        keypoints: id -> [M, T, V, C].
        train, val: ids.

    Returns:
        Ids of `val`: `identical`, the whole array is a training sequence;
        `mostly`, more than half of the frames are training frames; `partly`, any.
    """
    leaks = FrameHashes(keypoints).leaks(train, val)
    return {
        "identical": [leak.tested for leak in leaks if leak.identical],
        "mostly": [leak.tested for leak in leaks if leak.mostly],
        "partly": [leak.tested for leak in leaks],
    }


def _hash_frames(keypoint: np.ndarray) -> np.ndarray:
    """SipHash of each frame's bytes, int64 [T]; 0 where the frame is all zero."""
    frames = np.ascontiguousarray(keypoint.swapaxes(0, 1))
    frames = frames.reshape(len(frames), -1)
    raw = frames.view(np.dtype((np.void, frames.shape[1] * frames.itemsize)))
    hashes = np.array([hash(one) for one in raw.ravel().tolist()], dtype=np.int64)
    return hashes * frames.any(axis=1)


def _same(left: np.ndarray, right: np.ndarray) -> bool:
    return left.shape == right.shape and left.tobytes() == right.tobytes()
