"""Test sequences that a model has seen in training: same bytes, not same names."""

from collections.abc import Iterable

import numpy as np


def frame_overlap(tested: np.ndarray, trained: set[bytes]) -> int:
    """How many frames of a sequence occur among the training frames.

    Args:
        tested: keypoint [M, T, V, C].
        trained: what `frames_of` gives for the training sequences.

    A frame without any person (all zero) is no evidence and does not count.
    """
    frames = tested.swapaxes(0, 1)
    return sum(frame.any() and frame.tobytes() in trained for frame in frames)


def frames_of(keypoints: Iterable[np.ndarray]) -> set[bytes]:
    """The frames of many sequences [M, T, V, C], each as its bytes."""
    return {frame.tobytes() for one in keypoints for frame in one.swapaxes(0, 1)}


def find_leaks(
    keypoints: dict[str, np.ndarray], train: list[str], val: list[str]
) -> dict[str, list[str]]:
    """Sequences of `val` whose content is also in `train`.

    Args:
        keypoints: id -> [M, T, V, C].
        train, val: ids.

    Returns:
        Ids of `val`: `identical`, the whole array is a training sequence;
        `mostly`, more than half of the frames are training frames; `partly`, any.
    """
    arrays = {(keypoints[one].shape, keypoints[one].tobytes()) for one in train}
    frames = frames_of(keypoints[one] for one in train)
    leaks: dict[str, list[str]] = dict(identical=[], mostly=[], partly=[])
    for one in val:
        keypoint = keypoints[one]
        shared = frame_overlap(keypoint, frames)
        if (keypoint.shape, keypoint.tobytes()) in arrays:
            leaks["identical"].append(one)
        if 2 * shared > keypoint.shape[1]:
            leaks["mostly"].append(one)
        if shared:
            leaks["partly"].append(one)
    return leaks
