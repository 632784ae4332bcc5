"""Frames in, one by one; every few frames a label of the last ones out."""

from dataclasses import replace
from typing import Optional

import numpy as np

from ..errors import ConfigError, DataError
from .prediction import Prediction
from .recognizer import Recognizer


class Stream:
    """A recogniser on a stream without end, in memory that does not grow.

    The label of a frame is that of the `window` frames that end with it, so an action
    shows once it fills enough of them; it comes `every` frames, without waiting for
    frames to come. What it costs is one prediction every `every` frames: give the
    recogniser `clips=1`.

    Args:
        recognizer: the network.
        window: frames that a label is of. Those of a training sequence are a good
            choice: the network has seen nothing else.
        every: frames between two labels. The first comes after as many frames.
        **options: `layout`, `unit`, `img_shape` of `Recognizer.predict_each`.

    Attributes:
        frames: how many have come.

    Example:
        >>> stream = Stream(Recognizer("my_config.py", "best.pth", clips=1), window=60)
        >>> for keypoint in camera:  # [M, V, C]
        ...     found = stream.add(keypoint)
        ...     if found:
        ...         print(stream.frames, found.name, found.score)
    """

    def __init__(
        self, recognizer: Recognizer, window: int, every: int = 10, **options
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
        self, keypoint: np.ndarray, keypoint_score: Optional[np.ndarray] = None
    ) -> Optional[Prediction]:
        """The next frame.

        Args:
            keypoint: [M persons, V joints, C]; a person keeps its row, and who is
                absent is zero. M, V and C stay the same.
            keypoint_score: [M, V], for 2D.

        Returns:
            Every `every` frames the prediction of the last `window`, with `frames`
            counted from the beginning of the stream; None in between, and where
            nobody is seen in them.

        Raises:
            DataError: a frame unlike those before, or one that `Recognizer`
                refuses.
        """
        frame = dict(keypoint=np.asarray(keypoint))
        if frame["keypoint"].ndim != 3:
            raise DataError(
                f"frame {self.frames} has shape {frame['keypoint'].shape}, expected "
                "[M persons, V joints, C]",
                kind="shape",
                field="keypoint",
            )
        if keypoint_score is not None:
            frame["keypoint_score"] = np.asarray(keypoint_score)
        self._keep(frame)
        if self.frames % self.every:
            return None
        length = min(self.window, self.frames)
        # Persons first, frames second, as in samples.
        sample = {
            key: np.moveaxis(self._last(buffer, length), 0, 1)
            for key, buffer in self._buffers.items()
        }
        if not sample["keypoint"].any():
            return None
        sample["frame_dir"] = f"frames {self.frames - length} to {self.frames - 1}"
        found = self.recognizer.predict(sample, **self.options)
        first = self.frames - length
        return replace(found, frames=(first + found.frames[0], first + found.frames[1]))

    def reset(self) -> None:
        """Forgets all frames: a new stream begins."""
        self.frames = 0
        self._buffers = {}

    def _keep(self, frame: dict[str, np.ndarray]) -> None:
        if not self._buffers:
            # Twice the window, and every frame twice: the last ones always lie
            # together, and nothing is moved.
            self._buffers = {
                key: np.zeros((2 * self.window, *array.shape), array.dtype)
                for key, array in frame.items()
            }
        for key, buffer in self._buffers.items():
            if key not in frame or frame[key].shape != buffer.shape[1:]:
                shape = frame[key].shape if key in frame else "none"
                raise DataError(
                    f"frame {self.frames}: {key} has shape {shape}, expected "
                    f"{buffer.shape[1:]} as in the frames before. Call reset() before "
                    "another stream begins.",
                    kind="shape",
                    field=key,
                )
        if frame.keys() - self._buffers.keys():
            raise DataError(
                f"frame {self.frames} has keypoint_score, but the frames before had "
                "none. Pass it always, or never.",
                kind="structure",
                field="keypoint_score",
            )
        place = self.frames % self.window
        for key, array in frame.items():
            self._buffers[key][[place, place + self.window]] = array
        self.frames += 1

    def _last(self, buffer: np.ndarray, length: int) -> np.ndarray:
        """The last `length` frames [length, ...], a view."""
        stop = (self.frames - 1) % self.window + 1 + self.window
        return buffer[stop - length : stop]
