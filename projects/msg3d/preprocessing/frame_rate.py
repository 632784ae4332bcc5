"""Conversion of sequences to another frame rate, from a constant rate or from timestamps.

A network that sees a fixed number of frames, or motions between frames, depends on the rate
at which it was trained. A sequence states its rate as `fps` (frames per second) or as
`times` (seconds of each frame, [T]).
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError, DataError
from .sample import interpolate

__all__ = ["at_rate", "check_rate", "frame_positions", "rate_of"]

# 29.97 and 30 are the same rate.
TOLERANCE = 0.01
MAX_FRAMES = 1_000_000


def check_rate(fps: Any, name: str = "fps") -> float | None:
    """Return a frame rate as float, or None.

    Raises:
        ConfigError: the rate is not a positive number (kind `option`).
    """
    if fps is None:
        return None
    number = isinstance(fps, int | float | np.number) and not isinstance(fps, bool)
    if not number or not 0 < fps < float("inf"):
        raise ConfigError(
            f"{name} is {fps!r:.40}, expected a positive number of frames per second",
            kind="option",
            field=name,
        )
    return float(fps)


def rate_of(sample: dict[str, Any]) -> float | None:
    """Return the frame rate of a sequence; the mean rate if it has `times`.

    Raises:
        DataError: `fps` or `times` is invalid (kind `frame-rate`).
    """
    times = _times(sample)
    if times is None:
        return None
    if len(times) < 2:
        fps = sample.get("fps")
        return None if fps is None else check_rate(fps)
    return float((len(times) - 1) / (times[-1] - times[0]))


def frame_positions(sample: dict[str, Any], fps: float) -> NDArray[np.float64] | None:
    """Return the frames of a sequence at another rate, as positions in its own frames.

    Args:
        sample: sequence with `keypoint` [M, T, V, C], and `fps` or `times`.
        fps: frames per second of the result.

    Returns:
        Positions from 0 to T - 1, [T']; None if the rate is unknown or the same.

    Raises:
        DataError: `fps` or `times` of the sequence is invalid (kind `frame-rate`).
    """
    times = _times(sample)
    if times is None or len(times) < 2:
        return None
    steps = np.diff(times)
    if np.abs(steps * fps - 1).max() <= TOLERANCE:
        return None
    count = int((times[-1] - times[0]) * fps * (1 + 1e-9)) + 1
    if count > MAX_FRAMES:
        raise DataError(
            f"the sequence lasts {times[-1] - times[0]:.4g} s, which is {count} frames at "
            f"{fps:g} frames per second. Correct 'fps' or 'times' (in seconds).",
            kind="frame-rate",
            field="times",
        )
    wanted = times[0] + np.arange(count) / fps
    positions: NDArray[np.float64] = np.interp(wanted, times, np.arange(len(times)))
    return positions


def at_rate(sample: dict[str, Any], fps: float) -> dict[str, Any]:
    """Convert a sequence to another frame rate by linear interpolation.

    Args:
        sample: sequence with `keypoint` [M, T, V, C] and optionally `keypoint_score` [M,
            T, V]; not modified. Without `fps` and `times`, its rate is assumed to be
            right.
        fps: frames per second of the result.

    Returns:
        The sequence with `fps`, and with T' = duration * fps frames. Its first frame is
        that of the sequence.

    Raises:
        DataError: `fps` or `times` of the sequence is invalid (kind `frame-rate`).
    """
    positions = frame_positions(sample, fps)
    if positions is None:
        return sample
    keypoint, score = interpolate(
        sample["keypoint"], positions, sample.get("keypoint_score")
    )
    changed = {key: sample[key] for key in sample if key != "times"}
    changed.update(keypoint=keypoint, total_frames=keypoint.shape[1], fps=fps)
    if score is not None:
        changed["keypoint_score"] = score
    return changed


def _times(sample: dict[str, Any]) -> NDArray[np.float64] | None:
    """Return the time of each frame in seconds; None if the rate is unknown."""
    frames = np.shape(sample["keypoint"])[1]
    times, fps = sample.get("times"), sample.get("fps")
    if times is not None:
        values = np.asarray(times)
        if (
            values.shape != (frames,)
            or values.dtype.kind not in "fiu"
            or not np.isfinite(values).all()
            or (np.diff(values) <= 0).any()
        ):
            raise DataError(
                f"'times' is invalid, expected {frames} increasing times in seconds, one "
                "per frame",
                kind="frame-rate",
                field="times",
            )
        return values.astype(np.float64)
    if fps is None:
        return None
    try:
        rate = check_rate(fps)
    except ConfigError as error:
        raise DataError(error.message, kind="frame-rate", field="fps") from None
    assert rate is not None
    return np.arange(frames) / rate
