"""Select frames: interpolated crops and windows of a sequence."""

from typing import Sequence

import numpy as np

__all__ = ["crop_times", "interpolate", "window"]


def crop_times(
    frames: int, clip_len: int, crops: Sequence[tuple[float, float]]
) -> np.ndarray:
    """Spread the frames of clips evenly over crops of a sequence.

    Args:
        frames: T.
        clip_len: frames per clip.
        crops: (length, place) of each clip: the length as a part of the sequence, and
            the place as a part of what remains of it, 0 to 1.

    Returns:
        Times in frames, float64 [clips * clip_len].
    """
    last = frames - 1
    return np.concatenate(
        [
            (1 - length) * place * last + np.linspace(0, length * last, clip_len)
            for length, place in crops
        ]
    )


def interpolate(
    keypoint: np.ndarray, times: np.ndarray, score: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray | None]:
    """Interpolate poses linearly between frames, and take the nearest scores.

    A joint that is absent (exactly zero) in either neighboring frame is absent in the
    new one.

    Args:
        keypoint: [M, T, V, C].
        times: in frames, 0 to T - 1, [T'].
        score: [M, T, V].

    Returns:
        `keypoint` [M, T', V, C] and `score` [M, T', V], None without scores.
    """
    last = keypoint.shape[1] - 1
    before = np.minimum(times.astype(int), max(last - 1, 0))
    after = np.minimum(before + 1, last)
    part = (times - before)[:, None, None].astype(keypoint.dtype)
    start, end = keypoint[:, before], keypoint[:, after]  # (M, T', V, C)
    present = start.any(-1, keepdims=True)
    present &= end.any(-1, keepdims=True) | (part == 0)
    if score is not None:
        score = score[:, np.rint(times).astype(int)]
    return (start * (1 - part) + end * part) * present, score


def window(array: np.ndarray, start: int, length: int) -> np.ndarray:
    """Cut a window out of a sequence, or lay a shorter sequence into one of zeros.

    Args:
        array: [M, T, ...].
        start: first frame of the window or, if T < `length`, of the sequence in it.
        length: frames of the window, T'.

    Returns:
        [M, T', ...]; a view if T >= T'.
    """
    frames = array.shape[1]
    if frames >= length:
        return array[:, start : start + length]
    padded = np.zeros((len(array), length, *array.shape[2:]), dtype=array.dtype)
    padded[:, start : start + frames] = array
    return padded
