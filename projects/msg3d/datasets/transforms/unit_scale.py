"""Every sequence in a box of the same size."""

from typing import Dict

from mmaction.registry import TRANSFORMS
from mmcv.transforms import BaseTransform


@TRANSFORMS.register_module()
class ScaleToUnit(BaseTransform):
    """Min-max normalisation: a sequence fills -1 to 1 in every coordinate.

    This is what CTR-GCN (Chen et al., ICCV 2021) and those after it do with NW-UCLA,
    behind a random rotation. It takes away where a body stands, how tall it is and how
    far it reaches, whole paths included; a shift or a scale put before it has no effect.
    The box is that of all persons and frames together, so persons keep their places.

    A joint that is exactly zero is absent: it does not count, and stays so. A
    coordinate that never changes becomes 0.

    Required and modified key: `keypoint` [M, T, V, C], in any unit.

    Example:
        >>> line = np.array([[2, 5], [4, 5], [6, 5]], dtype=float)[None, :, None]
        >>> ScaleToUnit()(dict(keypoint=line))['keypoint'][0, :, 0, 0]
        array([-1.,  0.,  1.])
    """

    def transform(self, results: Dict) -> Dict:
        keypoint = results["keypoint"]
        present = keypoint.any(-1)  # (M, T, V)
        if not present.any():
            return results
        there = keypoint[present]  # (joints there, C)
        low, high = there.min(0), there.max(0)
        half = (high - low) / 2
        half[half == 0] = 1
        results["keypoint"] = (keypoint - (high + low) / 2) / half * present[..., None]
        return results
