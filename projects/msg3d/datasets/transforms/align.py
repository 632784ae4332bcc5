"""View alignment for any 3D layout."""

from typing import Dict

import numpy as np
from mmaction.registry import TRANSFORMS

from .fast import FastPreNormalize3D


@TRANSFORMS.register_module()
class AlignSkeleton3D(FastPreNormalize3D):
    """MMAction2's PreNormalize3D, with the centre joint named.

    PreNormalize3D rotates the first frame's spine onto z and its shoulders onto x,
    and moves joint 1 to the origin if there are 25 joints, but the last joint (a
    foot of the Kinect v1 layout) if there are any other number. Here `center` says
    which; the rotations are its own. Joints that are exactly zero are absent, and
    stay so.

    Args:
        center: joint of the first person's first frame that becomes the origin.
        **kwargs: of PreNormalize3D: `zaxis` and `xaxis` name the joints to align.

    Required and modified keys: `keypoint` [M, T, V, 3], float32 afterwards;
    `total_frames` (frames without the first person are left out).
    """

    def __init__(self, center: int = 1, **kwargs) -> None:
        super().__init__(**kwargs)
        self.center = center

    def transform(self, results: Dict) -> Dict:
        results = super().transform(results)
        keypoint = np.asarray(results["keypoint"], dtype=np.float32)
        present = keypoint.any(-1, keepdims=True)
        if "body_center" in results:
            # PreNormalize3D has just moved this joint to the origin: it is not absent.
            joint = 1 if keypoint.shape[2] == 25 else -1
            present[0, 0, joint] |= results["body_center"].any()
        results["keypoint"] = (keypoint - keypoint[0, 0, self.center]) * present
        return results
