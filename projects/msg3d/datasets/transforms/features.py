"""Compute the input of the network: streams of joints and bones, or Laban's Effort."""

from typing import Dict, Optional, Sequence

import numpy as np
from mmaction.registry import TRANSFORMS
from mmcv.transforms import BaseTransform

from ...errors import ConfigError
from ...preprocessing import steps
from ...preprocessing.laban import EFFORTS, laban_effort
from ...skeletons import skeleton
from ...skeletons.body_axes import Layout, Place, check_joints
from .step import StepTransform

VARIANTS, TIMES = ["published", "corrected"], ["frame", "joint"]


@TRANSFORMS.register_module()
class SkeletonFeatures(StepTransform):
    """MMAction2's GenSkeFeat for every layout: `preprocessing.streams`.

    A third channel of `keypoint` is z in every layout (GenSkeFeat takes it for a score
    in 'coco' and 'openpose'), and every layout may have scores (GenSkeFeat refuses
    them in 'nturgb+d').

    Args:
        layout: a name of `msg3d.skeletons`, or a dictionary as in `graph_cfg`.
        feats: any of 'j' joints, 'b' bones (joint less parent), 'jm' and 'bm' their
            motions (next frame less this one, the last zero), in the order wanted.
            None: the one that the data set names (`SkeletonDataset(stream='b')`).
        axis: along which several features are concatenated.
        mask_absent: whether a bone or motion with an absent end is zero, see
            `skeleton_streams`. Not for keypoints whose center was moved to the origin
            in every frame: the center is then zero, and its bones would be masked.

    Required and modified keys: `keypoint` [M, T, V, C], C = 2 or 3, becomes
    [M, T, V, len(feats) * C'] (for axis=-1), C' with the score.
    Optional key: `stream`, 'j' if it is missing.
    Removed keys: `keypoint_score` [M, T, V], if there is one, and then C = 2.

    Raises:
        ConfigError: unknown feature (kind "option") or layout.
        DataError: other joints than the layout's (kind "layout"), or other channels
            (kind "shape").
    """

    step = staticmethod(steps.skeleton_features)


@TRANSFORMS.register_module()
class LabanEffort(BaseTransform):
    """Three channels per joint for each of Laban's four Efforts: `preprocessing.laban`.

    The angles depend on the view, so AlignView belongs before this. A clip of
    consecutive frames belongs after it: frames at other distances are other velocities.

    Args:
        layout: a name of `msg3d.skeletons`, or such a dictionary; its bones count.
        efforts: which of 'time', 'flow', 'space' and 'weight', in the order wanted.
        coordinates: whether the coordinates come first.
        variant: 'published' or 'corrected'.
        time: 'frame', or 'joint' for what the study's published code computes instead
            of a velocity, the difference x_j(t) - x_{j-1}(t) of neighboring numbers.
        fps: frames per second, for velocities, second differences and energies per
            second; 1 for features per frame. Energies in meters per frame are so small
            that the epsilon of a BatchNorm hides them.
        center: the joint, or several, that normalization has moved to the origin: it
            is zero, but not absent. The default is the one that AlignView moves there.

    Required and modified key: `keypoint` [M, T, V, 3] -> float32 [M, T, V, C], C = 3
    for the coordinates and 3 for each Effort.

    Raises:
        ConfigError: unknown Effort or variant, or `fps` not above 0 (kind "option");
            unknown layout.
        DataError: keypoints of another layout; kind "layout".

    Example:
        >>> laban = LabanEffort('smpl24')
        >>> laban(dict(keypoint=np.random.rand(1, 250, 24, 3)))['keypoint'].shape
        (1, 250, 24, 15)
    """

    def __init__(
        self,
        layout: Layout,
        efforts: Sequence[str] = EFFORTS,
        coordinates: bool = True,
        variant: str = "published",
        time: str = "frame",
        fps: float = 1,
        center: Optional[Place] = None,
    ) -> None:
        repeated = len(set(efforts)) < len(efforts) or not (efforts or coordinates)
        unknown = isinstance(efforts, str) or set(efforts) - set(EFFORTS)
        for name, value, wrong, expected in (
            ("variant", variant, variant not in VARIANTS, f"one of {VARIANTS}"),
            ("time", time, time not in TIMES, f"one of {TIMES}"),
            ("efforts", efforts, unknown, f"a list of some of {list(EFFORTS)}"),
            ("efforts", efforts, repeated, "each Effort once, or coordinates=True"),
            ("fps", fps, not fps > 0, "frames per second, or 1 for features per frame"),
        ):
            if wrong:
                raise ConfigError(
                    f"LabanEffort got {name}={value!r}, expected {expected}",
                    kind="option",
                    field=name,
                )
        self.layout, self.efforts, self.coordinates = layout, list(efforts), coordinates
        self.variant, self.time, self.fps = variant, time, fps
        body = skeleton(layout)
        if center is None:
            # The mean of several joints is not the place of a joint.
            top = body.spine[1] if body.spine else ()
            center = top if len(top) == 1 else ()
        self.center = center
        self._parents = [parent for _, parent in body.bones]

    def transform(self, results: Dict) -> Dict:
        check_joints(results["keypoint"], self.layout)
        results["keypoint"] = laban_effort(
            results["keypoint"],
            self._parents,
            self.efforts,
            self.coordinates,
            published=self.variant == "published",
            neighbors=self.time == "joint",
            fps=self.fps,
            centers=np.atleast_1d(np.asarray(self.center, dtype=int)),
        )
        return results

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(layout={self.layout!r}, efforts={self.efforts}, "
            f"coordinates={self.coordinates}, variant={self.variant!r}, "
            f"time={self.time!r}, fps={self.fps}, center={self.center})"
        )
