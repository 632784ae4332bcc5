"""Random rotation and scale of whole 3D sequences, for training.

The ideas are those of the strong augmentation of Duan et al., "DG-STGCN", 2022,
and of the usual NW-UCLA feeders: one rotation and one scale a sequence.
"""

from typing import Dict, Sequence

import numpy as np
from mmaction.registry import TRANSFORMS
from mmcv.transforms import BaseTransform

from ...skeletons.rotation import rotation


@TRANSFORMS.register_module()
class RandomRotate3D(BaseTransform):
    """Turns a sequence about the origin by one random angle an axis.

    Args:
        degrees: greatest angle about x, y and z; each is uniform in +-degrees.

    Required and modified key: `keypoint` [M, T, V, 3].
    """

    def __init__(self, degrees: Sequence[float] = (17, 17, 17)) -> None:
        self.degrees = degrees

    def transform(self, results: Dict) -> Dict:
        angles = np.random.uniform(-1, 1, 3) * self.degrees
        keypoint = results["keypoint"]
        turn = rotation_about_axes(*angles).astype(keypoint.dtype)
        results["keypoint"] = keypoint @ turn.T
        return results

    def __repr__(self) -> str:
        return f"{type(self).__name__}(degrees={self.degrees})"


@TRANSFORMS.register_module()
class RandomScale3D(BaseTransform):
    """Stretches a sequence by one random factor an axis.

    Args:
        amount: each factor is uniform in 1 +- amount.

    Required and modified key: `keypoint` [M, T, V, 3].
    """

    def __init__(self, amount: float = 0.1) -> None:
        self.amount = amount

    def transform(self, results: Dict) -> Dict:
        keypoint = results["keypoint"]
        factors = 1 + np.random.uniform(-1, 1, 3) * self.amount
        results["keypoint"] = keypoint * factors.astype(keypoint.dtype)
        return results

    def __repr__(self) -> str:
        return f"{type(self).__name__}(amount={self.amount})"


def rotation_about_axes(x: float, y: float, z: float) -> np.ndarray:
    """The matrix [3, 3] that turns by these angles (degrees) about x, then y, then z."""
    return rotation(2, z) @ rotation(1, y) @ rotation(0, x)
