"""The training augmentation of ST-GCN on Kinetics: a window in time, a moving camera.

Source: Yan et al., "Spatial Temporal Graph Convolutional Networks", AAAI 2018, section
4.2 ("we perform random affine transformations on the skeleton sequences of all frames
... to simulate the camera movement"); ranges as in the authors' code (BSD-2-Clause).
"""

from typing import Dict, Sequence

import numpy as np
from mmaction.registry import TRANSFORMS
from mmcv.transforms import BaseTransform


@TRANSFORMS.register_module()
class RandomWindow(BaseTransform):
    """A window of frames at a random place; zeros around a shorter sequence, which
    lies at a random place in it.

    Args:
        length: frames of the window, T'.

    Required and modified keys: `keypoint` [M, T, V, C] -> [M, T', V, C];
    `keypoint_score` [M, T, V] likewise, where there is one; `total_frames`.
    """

    def __init__(self, length: int) -> None:
        self.length = length

    def transform(self, results: Dict) -> Dict:
        frames = results["keypoint"].shape[1]
        slack = abs(frames - self.length)
        start = np.random.randint(slack + 1)
        for key in {"keypoint", "keypoint_score"} & set(results):
            array = results[key]
            if frames >= self.length:
                results[key] = array[:, start : start + self.length]
            else:
                shape = (len(array), self.length, *array.shape[2:])
                window = np.zeros(shape, dtype=array.dtype)
                window[:, start : start + frames] = array
                results[key] = window
        results["total_frames"] = self.length
        return results

    def __repr__(self) -> str:
        return f"{type(self).__name__}(length={self.length})"


@TRANSFORMS.register_module()
class RandomMove2D(BaseTransform):
    """Turns, scales and shifts 2D poses, from one random pose of the camera in the
    first frame to another in the last, linearly between them.

    Joints that are exactly zero are absent, and stay so: put it behind what moves the
    middle of the picture to the origin, about which it turns.

    Args:
        degrees: the angles to choose from.
        scales: the factors to choose from.
        shifts: the shifts in x and y to choose from, in the unit of `keypoint`.

    Required and modified key: `keypoint` [M, T, V, C]; of C the first two.
    """

    def __init__(
        self,
        degrees: Sequence[float] = (-10, -5, 0, 5, 10),
        scales: Sequence[float] = (0.9, 1.0, 1.1),
        shifts: Sequence[float] = (-0.2, -0.1, 0.0, 0.1, 0.2),
    ) -> None:
        self.degrees, self.scales, self.shifts = degrees, scales, shifts

    def transform(self, results: Dict) -> Dict:
        keypoint = results["keypoint"]
        frames = keypoint.shape[1]
        angle, scale, right, up = (
            np.linspace(*np.random.choice(choices, 2), frames)[:, None]  # (T, 1)
            for choices in (self.degrees, self.scales, self.shifts, self.shifts)
        )
        cos, sin = scale * np.cos(np.radians(angle)), scale * np.sin(np.radians(angle))
        x, y = keypoint[..., 0], keypoint[..., 1]  # (M, T, V)
        moved = np.stack([cos * x - sin * y + right, sin * x + cos * y + up], axis=-1)
        present = keypoint[..., :2].any(axis=-1, keepdims=True)
        moved = (moved * present).astype(keypoint.dtype)
        results["keypoint"] = np.concatenate([moved, keypoint[..., 2:]], axis=-1)
        return results

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(degrees={self.degrees}, scales={self.scales}, "
            f"shifts={self.shifts})"
        )
