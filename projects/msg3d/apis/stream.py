"""Classify a stream of frames with a sliding window."""

from dataclasses import replace
from typing import Any

import numpy as np

from ..annotations import Sample
from ..errors import ConfigError, DataError
from .prediction import Prediction
from .recognizer import Recognizer


class Stream:
    """Recognizer for an endless stream, with constant memory.

    Every `every` frames, the last `window` frames are classified. An action is detected
    once it fills enough of the window. Create the recognizer with `clips=1` to reduce
    the cost of a prediction.

    Args:
        recognizer: the network.
        window: frames per prediction. Use the typical length of a training sequence.
        every: frames between two predictions, and before the first prediction.
        **options: `layout`, `unit`, and `img_shape` of `Recognizer.predict_each`.

    Attributes:
        frames: number of frames added so far.

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
        """Add the next frame.

        Args:
            keypoint: [M persons, V joints, C], of the same shape in all frames. A person
                keeps the same row; absent persons are zero.
            keypoint_score: [M, V], for 2D.

        Returns:
            Every `every` frames, the prediction for the last `window` frames, with
            `frames` counted from the start of the stream. None for other frames, and if
            the window contains no person.

        Raises:
            DataError: the shape differs from that of earlier frames, or `Recognizer`
                rejects the keypoints.
        """
        frame = {"keypoint": np.asarray(keypoint)}
        if frame["keypoint"].ndim != 3:
            raise DataError(
                f"frame {self.frames} has shape {frame['keypoint'].shape}, expected "
                "[M persons, V joints, C]",
                kind="shape",
                field="keypoint",
            )
        if keypoint_score is not None:
            frame["keypoint_score"] = np.asarray(keypoint_score)
        self._store(frame)
        if self.frames % self.every:
            return None
        length = min(self.window, self.frames)
        # Samples have the axis of persons before that of frames.
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
        """Remove all frames to start a new stream."""
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
                shape = frame[key].shape if key in frame else "none"
                raise DataError(
                    f"frame {self.frames}: {key} has shape {shape}, expected "
                    f"{buffer.shape[1:]} as in earlier frames. Call reset() to start a "
                    "new stream.",
                    kind="shape",
                    field=key,
                )
        if frame.keys() - self._buffers.keys():
            raise DataError(
                f"frame {self.frames} has keypoint_score, but earlier frames do not. "
                "Pass it for all frames, or for none.",
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
