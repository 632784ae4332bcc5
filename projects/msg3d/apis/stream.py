"""Prediction with a sliding window over a stream of frames."""

from dataclasses import replace
from typing import Any

import numpy as np

from ..annotations import Sample
from ..errors import ConfigError, DataError
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
        **options: `layout`, `unit`, and `img_shape` of `Recognizer.predict_each`.

    Attributes:
        frames: number of frames added since the start of the stream.

    Raises:
        ConfigError: `window` or `every` is below 1.

    Example:
        >>> stream = Stream(Recognizer("my_config.py", "best.pth", clips=1), window=60)
        >>> for keypoint in camera:  # [M, V, C]
        ...     prediction = stream.add(keypoint)
        ...     if prediction:
        ...         print(stream.frames, prediction.name, prediction.score)
    """

    def __init__(
        self, recognizer: Recognizer, window: int, every: int = 10, **options: Any
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
        self.frames = 0
        self._buffers: dict[str, np.ndarray] = {}

    def add(
        self, keypoint: np.ndarray, keypoint_score: np.ndarray | None = None
    ) -> Prediction | None:
        """Add a frame, and return a prediction if it is due.

        Args:
            keypoint: array [M persons, V joints, C], with the same shape in all frames.
                A person keeps the same row in all frames, and absent persons are zero.
            keypoint_score: scores [M, V] of 2D keypoints.

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
        self._store(frame)
        if self.frames % self.every:
            return None
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
