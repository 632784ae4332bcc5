"""View alignment for any 3D layout."""

from typing import Dict, Optional

import numpy as np
from mmaction.registry import TRANSFORMS

from ...skeletons.body_axes import Layout, Place, axes_of, check_joints, middle
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
        center: joint of the first person's first frame that becomes the origin, or
            several joints whose middle does; without a layout 1.
        layout: a name of `msg3d.skeletons`, or such a dictionary. The top of its spine,
            its spine and its shoulders serve where `center`, `zaxis` and `xaxis` are
            not given.
        **kwargs: of PreNormalize3D: `zaxis` and `xaxis` name the joints to align, each
            end one joint or several.

    Required and modified keys: `keypoint` [M, T, V, 3], float32 afterwards;
    `total_frames` (frames without the first person are left out).

    Raises:
        ValueError: no such layout, one without spine or shoulders, or a sample of
            another.
    """

    def __init__(
        self, center: Optional[Place] = None, layout: Optional[Layout] = None, **kwargs
    ) -> None:
        axes = dict(center=1) if layout is None else axes_of(layout)
        origin = axes.pop("center")
        super().__init__(**dict(axes, **kwargs))
        self.center, self.layout = origin if center is None else center, layout

    def transform(self, results: Dict) -> Dict:
        if self.layout is not None:
            check_joints(results["keypoint"], self.layout)
        results = super().transform(results)
        keypoint = np.asarray(results["keypoint"], dtype=np.float32)
        present = keypoint.any(-1, keepdims=True)
        if "body_center" in results:
            # PreNormalize3D has just moved this joint to the origin: it is not absent.
            joint = 1 if keypoint.shape[2] == 25 else -1
            present[0, 0, joint] |= results["body_center"].any()
        center = middle(keypoint[0, 0], self.center, present[0, 0, :, 0])
        results["keypoint"] = (keypoint - center) * present
        return results
