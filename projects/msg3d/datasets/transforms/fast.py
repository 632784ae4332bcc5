"""MMAction2's slow skeleton transforms, without their Python loops over frames.

Outputs and random numbers are MMAction2's, bit for bit, wherever MMAction2's transform
does not fail. Arguments, angles and matrices are inherited.
"""

from typing import Dict, List, Sequence

import numpy as np
from mmaction.datasets.transforms import PreNormalize3D, UniformSampleFrames
from mmaction.registry import TRANSFORMS

from ...skeletons.body_axes import Place, middle


@TRANSFORMS.register_module()
class FastPreNormalize3D(PreNormalize3D):
    """PreNormalize3D, all frames at once and for any number of persons.

    The person seen in most frames becomes the first (of equals, the first of them),
    and frames without that person are left out. Then all are moved and turned alike:
    the first person's centre in the first frame to the origin, the spine onto z, the
    shoulders onto x. Joints that are exactly zero are absent, and stay so.

    Where PreNormalize3D fails, this one goes on:

    - more than two persons: those after the first keep their order;
    - no coordinate is further than 1e-8 from zero: the sample is left as it is, as
      one that is all zero;
    - `align_center=False`: nothing is moved, and there is no `body_center`.

    Args: PreNormalize3D's; it is that of 2s-AGCN (Shi et al., CVPR 2019).

    Required and modified key: `keypoint` [M, T, V, 3], float64 afterwards (the dtype
    it had, if neither spine nor shoulders are aligned).
    Optional and modified key: `total_frames`, T.
    Added key: `body_center` [3], where the centre was: joint 1 of 25, the last joint
    of any other number.

    Raises:
        ValueError: `total_frames` is not T.
    """

    def transform(self, results: Dict) -> Dict:
        check_length(results)
        stored = results["keypoint"].dtype
        # NumPy computes float16 in float32 and rounds, one number after the other;
        # whole arrays there and back are the same, sooner.
        wide = np.promote_types(stored, np.float32)
        keypoint = results["keypoint"].astype(wide, copy=False)
        # (M, T): the bound is that of np.isclose(keypoint, 0).
        seen = ~(np.abs(keypoint) <= 1e-8).all(axis=(-1, -2))
        if keypoint.sum() == 0 or not seen.any():
            return results

        first = seen.sum(axis=1).argmax()
        keypoint = keypoint[:, seen[first]]
        if first > 0:
            others = np.delete(np.arange(len(keypoint)), first)
            keypoint = keypoint[[first, *others]]
        results["total_frames"] = keypoint.shape[1]
        present = keypoint[0, 0].any(-1)  # (V,), before the centre becomes zero

        if self.align_center:
            center = keypoint[0, 0, 1 if keypoint.shape[2] == 25 else -1].copy()
            x, y, z = np.moveaxis(keypoint != 0, -1, 0)
            keypoint = (keypoint - center) * (x | y | z)[..., None]
            results["body_center"] = center.astype(stored)
        keypoint = keypoint.astype(stored, copy=False)
        if self.align_spine:
            bottom, top = self.zaxis
            keypoint = self._turn(keypoint, (top, bottom), present, [0, 0, 1])
        if self.align_shoulder:
            keypoint = self._turn(keypoint, self.xaxis, present, [1, 0, 0])
        results["keypoint"] = keypoint
        return results

    def _turn(
        self,
        keypoint: np.ndarray,
        ends: Sequence[Place],
        present: np.ndarray,
        axis: List[int],
    ) -> np.ndarray:
        """Turns all by what lays the first frame's ends[0] - ends[1] along `axis`.

        Returns:
            [M, T, V, 3], float64.
        """
        end, start = (middle(keypoint[0, 0], place, present) for place in ends)
        vector = end - start
        angle = self.angle_between(vector, axis)
        matrix = self.rotation_matrix(np.cross(vector, axis), angle)
        # A matrix product would round otherwise than MMAction2's einsum. Fed anything
        # but float64, einsum converts piece by piece, which takes four times as long.
        keypoint = keypoint.astype(np.float64, copy=False)
        return np.einsum("mtvd,kd->mtvk", keypoint, matrix)


@TRANSFORMS.register_module()
class FastUniformSampleFrames(UniformSampleFrames):
    """UniformSampleFrames without its search for persons.

    MMAction2's looks for the persons in every frame, to make frame numbers whole near
    a frame where one comes or goes. They are whole anyway, so nothing depends on it.

    Args and keys: UniformSampleFrames's; of `keypoint` only the length is looked at.

    Raises:
        ValueError: `total_frames` is not the length of `keypoint`, if there is one.
    """

    def transform(self, results: Dict) -> Dict:
        check_length(results)
        rest = {key: value for key, value in results.items() if key != "keypoint"}
        results.update(super().transform(rest))
        return results


def check_length(results: Dict) -> None:
    """Refuses a sample of which `total_frames` and `keypoint` [M, T, ...] disagree."""
    if not {"keypoint", "total_frames"} <= set(results):
        return
    stated, frames = results["total_frames"], results["keypoint"].shape[1]
    if stated != frames:
        raise ValueError(
            f"total_frames is {stated}, and keypoint has {frames} frames: "
            "expected the same number"
        )
