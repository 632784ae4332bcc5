"""Prediction with a sliding window over a stream of frames."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from ..annotations import Sample
from ..errors import ConfigError, DataError
from ..preprocessing.frame_rate import TOLERANCE, check_rate
from ..preprocessing.sample import interpolate
from .prediction import Prediction
from .recognizer import Recognizer


class Stream:
    """Sliding-window prediction for an endless stream of frames, with constant memory.

    After every `every` frames, the last `window` frames are passed to the recognizer. An
    action is detected once it fills enough of the window. Create the recognizer with
    `clips=1` to make predictions faster.

    Args:
        recognizer: recognizer that predicts each window.
        window: number of frames per prediction. Use the typical length of a training
            sequence.
        every: number of frames between predictions, and before the first prediction.
        fps: frames per second of the stream. If the network was trained at another rate
            (`fps` of its data set), frames are interpolated, and `window`, `every`, and
            `frames` count frames at the network's rate. By default, frames are used as
            they are, unless `add` gets times.
        **options: `layout`, `unit`, `img_shape`, and `enrolled` of
            `Recognizer.predict_each`.

    Attributes:
        frames: number of frames in the stream since its start.

    Raises:
        ConfigError: `window` or `every` is below 1, or `fps` is not positive.

    Example:
        >>> stream = Stream(Recognizer("my_config.py", "best.pth", clips=1), window=60)
        >>> for keypoint in camera:  # [M, V, C]
        ...     prediction = stream.add(keypoint)
        ...     if prediction:
        ...         print(stream.frames, prediction.name, prediction.score)
    """

    def __init__(
        self,
        recognizer: Recognizer,
        window: int,
        every: int = 10,
        fps: float | None = None,
        **options: Any,
    ) -> None:
        for name, value in (("window", window), ("every", every)):
            if value < 1:
                raise ConfigError(
                    f"{name} is {value}, expected at least 1 frame",
                    kind="option",
                    field=name,
                )
        self.recognizer, self.options = recognizer, options
        self.window, self.every = window, every
        self.fps, self.frames = check_rate(fps), 0
        self._buffers: dict[str, np.ndarray] = {}
        self._previous: tuple[float, dict[str, np.ndarray]] | None = None
        self._start = 0.0

    def add(
        self,
        keypoint: np.ndarray,
        keypoint_score: np.ndarray | None = None,
        time: float | None = None,
    ) -> Prediction | None:
        """Add a frame, and return a prediction if it is due.

        Args:
            keypoint: array [M persons, V joints, C], with the same shape in all frames.
                A person keeps the same row in all frames, and absent persons are zero.
            keypoint_score: scores [M, V] of 2D keypoints.
            time: time of the frame in seconds, for cameras with irregular frames. Pass it
                for all frames or for no frame. After a pause that is longer than the
                window, the stream starts again.

        Returns:
            After every `every` frames, the `Prediction` for the last `window` frames.
            Its `frames` are counted from the start of the stream. None after other
            frames, or if the window contains no person.

        Raises:
            DataError: the shape differs from that of earlier frames, or the keypoints
                are invalid or do not match the network.
        """
        frame = {"keypoint": np.asarray(keypoint)}
        if frame["keypoint"].ndim != 3:
            raise DataError(
                f"frame {self.frames}: keypoint has shape {frame['keypoint'].shape}, "
                "expected three axes [M persons, V joints, C coordinates]",
                kind="shape",
                field="keypoint",
            )
        if keypoint_score is not None:
            frame["keypoint_score"] = np.asarray(keypoint_score)
        prediction = None
        for resampled in self._at_rate(frame, time):
            self._store(resampled)
            if self.frames % self.every == 0:
                prediction = self._predict()
        return prediction

    def _at_rate(
        self, frame: dict[str, np.ndarray], time: float | None
    ) -> Iterator[dict[str, np.ndarray]]:
        """Yield the frames at the network's rate up to a new frame of the stream."""
        rate = self.recognizer.expected.fps
        equal = self.fps is None or (rate and abs(self.fps / rate - 1) <= TOLERANCE)
        if rate is None or (time is None and equal):
            yield frame
            return
        if time is None:
            assert self.fps is not None
            previous = -1 / self.fps if self._previous is None else self._previous[0]
            time = previous + 1 / self.fps
        if self._previous is None:
            self._start = time
            yield frame
        else:
            before, last = self._previous
            if not before < time < float("inf"):
                raise DataError(
                    f"frame {self.frames}: time is {time}, expected more than {before}",
                    kind="frame-rate",
                    field="time",
                )
            if (time - before) * rate > self.window:  # nothing to interpolate
                self.reset()
                self._start, self._previous = time, (time, frame)
                yield frame
                return
            while True:
                wanted = self._start + self.frames / rate
                if wanted > time + 1e-9 / rate:
                    break
                yield _between(last, frame, (wanted - before) / (time - before))
        self._previous = (time, frame)

    def _predict(self) -> Prediction | None:
        """Return the prediction for the last window; None if it contains no person."""
        length = min(self.window, self.frames)
        # Buffers are [T, M, ...], and samples are [M, T, ...].
        sample: Sample = {
            key: np.moveaxis(self._last(buffer, length), 0, 1)
            for key, buffer in self._buffers.items()
        }
        if not sample["keypoint"].any():
            return None
        sample["frame_dir"] = f"frames {self.frames - length} to {self.frames - 1}"
        prediction = self.recognizer.predict(sample, **self.options)
        first = self.frames - length
        start, stop = prediction.frames
        return replace(prediction, frames=(first + start, first + stop))

    def reset(self) -> None:
        """Remove all frames and set `frames` to 0, to start a new stream."""
        self.frames = 0
        self._buffers = {}
        self._previous = None

    def _store(self, frame: dict[str, np.ndarray]) -> None:
        if not self._buffers:
            # Every frame is stored twice, one window apart. The last frames are then
            # always contiguous, without copying.
            self._buffers = {
                key: np.zeros((2 * self.window, *array.shape), array.dtype)
                for key, array in frame.items()
            }
        for key, buffer in self._buffers.items():
            if key not in frame or frame[key].shape != buffer.shape[1:]:
                problem = (
                    f"has shape {frame[key].shape}, expected"
                    if key in frame
                    else "is missing, expected shape"
                )
                raise DataError(
                    f"frame {self.frames}: {key} {problem} {buffer.shape[1:]} as in "
                    "earlier frames. Call reset() to start a new stream.",
                    kind="shape",
                    field=key,
                )
        if frame.keys() - self._buffers.keys():
            raise DataError(
                f"frame {self.frames} has keypoint_score, but earlier frames do not. "
                "Pass it for all frames or for no frame.",
                kind="structure",
                field="keypoint_score",
            )
        index = self.frames % self.window
        for key, array in frame.items():
            self._buffers[key][[index, index + self.window]] = array
        self.frames += 1

    def _last(self, buffer: np.ndarray, length: int) -> np.ndarray:
        """Return a view of the last `length` frames, [length, ...]."""
        stop = (self.frames - 1) % self.window + 1 + self.window
        return buffer[stop - length : stop]


def _between(
    before: dict[str, np.ndarray], after: dict[str, np.ndarray], position: float
) -> dict[str, np.ndarray]:
    """Interpolate between two frames of a stream; see `preprocessing.sample`."""
    if before.keys() != after.keys() or any(
        before[key].shape != after[key].shape for key in before
    ):
        return after  # rejected when it is stored
    pair = {key: np.stack([before[key], after[key]], axis=1) for key in before}
    times = np.array([min(max(position, 0.0), 1.0)])
    keypoint, score = interpolate(pair["keypoint"], times, pair.get("keypoint_score"))
    frame = {"keypoint": keypoint[:, 0]}
    if score is not None:
        frame["keypoint_score"] = score[:, 0]
    return frame
