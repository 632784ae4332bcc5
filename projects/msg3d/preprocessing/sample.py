"""Selection of frames: uniform sampling, interpolated crops, and windows."""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from ..errors import DataError

__all__ = ["crop_times", "interpolate", "pad_to", "uniform_sample", "window"]


class RandomNumbers(Protocol):
    """Interface of `numpy.random.RandomState` and of the module `numpy.random`."""

    def randint(self, low: Any, high: int | None = None) -> Any: ...

    def choice(self, a: int, size: int, replace: bool) -> Any: ...


def uniform_sample(
    frames: int,
    clip_len: int,
    num_clips: int = 1,
    test_mode: bool = False,
    random: RandomNumbers = np.random,
) -> np.ndarray:
    """Draw one frame from each of `clip_len` equal parts of a sequence.

    If T < `clip_len`, the sequence is repeated. If T < 2 * `clip_len`, random frames are
    skipped. Frame numbers and the use of random numbers are those of MMAction2's
    UniformSampleFrames, which seeds the generator with 255 before it draws test clips.

    Args:
        frames: number of frames, T.
        clip_len: frames per clip.
        num_clips: clips per sequence.
        test_mode: whether clips of short sequences start at evenly spaced frames instead
            of random frames.
        random: random number generator. By default, NumPy's global generator.

    Returns:
        Frame numbers, int64 [num_clips * clip_len].
    """
    clips = []
    for number in range(num_clips):
        if frames < clip_len:
            if not test_mode:
                start = random.randint(0, frames)
            elif frames < num_clips:
                start = number
            else:
                start = number * frames // num_clips
            clips.append(np.arange(start, start + clip_len))
        elif frames < 2 * clip_len:
            skipped = random.choice(clip_len + 1, frames - clip_len, replace=False)
            offset = np.zeros(clip_len + 1, dtype=np.int64)
            offset[skipped] = 1
            clips.append(np.arange(clip_len) + np.cumsum(offset)[:-1])
        else:
            bounds = np.arange(clip_len + 1) * frames // clip_len
            clips.append(bounds[:-1] + random.randint(np.diff(bounds)))
    return np.concatenate(clips) % frames


def pad_to(
    keypoint: np.ndarray, length: int, mode: str = "loop", start: int = 0
) -> np.ndarray:
    """Pad a sequence to a length, like MMAction2's PadTo.

    Args:
        keypoint: keypoints, [M, T, V, C].
        length: number of frames in the result, T', at least T.
        mode: 'loop' to repeat the sequence, or 'zero' to pad with zeros.
        start: frame of the sequence that becomes the first frame of the result.

    Returns:
        Padded copy, [M, T', V, C].

    Raises:
        DataError: the sequence has more than `length` frames (kind `shape`).
    """
    frames = keypoint.shape[1]
    if frames > length:
        raise DataError(
            f"keypoint has {frames} frames, expected at most {length}. Increase length, or "
            "cut the sequence.",
            kind="shape",
            field="keypoint",
        )
    keypoint = keypoint[:, (start + np.arange(length)) % frames]
    if mode == "zero":
        keypoint[:, frames:] = 0
    return keypoint


def crop_times(
    frames: int, clip_len: int, crops: Sequence[tuple[float, float]]
) -> np.ndarray:
    """Return evenly spaced times in crops of a sequence.

    Args:
        frames: number of frames, T.
        clip_len: frames per clip.
        crops: length and position of each crop. The length is a fraction of the sequence.
            The position is 0 at the start of the sequence, and 1 at its end.

    Returns:
        Times in frames, float64 [len(crops) * clip_len].
    """
    last = frames - 1
    return np.concatenate(
        [
            (1 - length) * position * last + np.linspace(0, length * last, clip_len)
            for length, position in crops
        ]
    )


def interpolate(
    keypoint: np.ndarray, times: np.ndarray, score: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray | None]:
    """Interpolate poses linearly between frames, and use the nearest scores.

    A joint is absent (exactly zero) if it is absent in either neighboring frame.

    Args:
        keypoint: keypoints, [M, T, V, C].
        times: times in frames from 0 to T - 1, float [T'].
        score: scores, [M, T, V].

    Returns:
        Keypoints [M, T', V, C] and scores [M, T', V], or None without scores.
    """
    last = keypoint.shape[1] - 1
    before = np.minimum(times.astype(int), max(last - 1, 0))
    after = np.minimum(before + 1, last)
    weight = (times - before)[:, None, None].astype(keypoint.dtype)
    start, end = keypoint[:, before], keypoint[:, after]  # (M, T', V, C)
    present = start.any(-1, keepdims=True)
    present &= end.any(-1, keepdims=True) | (weight == 0)
    if score is not None:
        score = score[:, np.rint(times).astype(int)]
    return (start * (1 - weight) + end * weight) * present, score


def window(array: np.ndarray, start: int, length: int) -> np.ndarray:
    """Cut a window from a sequence, or place a shorter sequence in a window of zeros.

    Args:
        array: sequence, [M, T, ...].
        start: position of the window in the sequence. If T < T', position of the sequence
            in the window.
        length: number of frames in the window, T'.

    Returns:
        Window [M, T', ...]. It is a view of `array` if T >= T'.
    """
    frames = array.shape[1]
    if frames >= length:
        return array[:, start : start + length]
    padded = np.zeros((len(array), length, *array.shape[2:]), dtype=array.dtype)
    padded[:, start : start + frames] = array
    return padded
