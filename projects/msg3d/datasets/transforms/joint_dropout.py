"""Joints that are lost for a while, for training: what occlusion does to a body.

The ideas are the joint mask of Rao et al., "AS-CAL", Information Sciences 2021 (some
joints of the input become zero), and of Cheng et al., "Decoupling GCN with DropGraph
Module", ECCV 2020 (a joint alone is guessed from its neighbours in the graph, so drop
what hangs together). DropGraph drops features inside the network; this drops joints of
the input, which every network takes.
"""

from typing import Dict, Optional

import numpy as np
from mmaction.registry import TRANSFORMS
from mmcv.transforms import BaseTransform

from ...skeletons import Skeleton, skeleton
from ...skeletons.body_axes import Layout


@TRANSFORMS.register_module()
class JointDropout(BaseTransform):
    """Makes some joints of a person absent, in one random span of frames.

    Absent is what is exactly zero, so this belongs behind everything that moves the
    origin, and before bones and motions: SkeletonFeatures with `mask_absent=True`
    leaves out what joins an absent joint to another.

    Args:
        prob: probability that a person loses joints; each person by themselves.
        ratio: largest part of the joints that a person loses, 0 to 1. A quarter is
            an arm or a leg of the usual layouts. Any number of joints from one to
            this is as likely.
        layout: with a layout (a name of `msg3d.skeletons`, or such a dictionary) the
            joints hang together: one joint and all behind it, seen from the centre of
            its bones, such as elbow, wrist and hand. Any joint that has few enough
            behind it is as likely. Without one they are any joints.
        span: shortest part of the frames in which they are absent, 0 to 1; the span
            has a random length from this to all frames, at a random place.

    Required and modified key: `keypoint` [M, T, V, C], in any unit.
    Optional and modified key: `keypoint_score` [M, T, V], 0 where a joint is absent.

    Raises:
        ValueError: a part out of its range; no such layout, or a sample of another.

    Example:
        >>> drop = JointDropout(prob=1, layout='kinect20')
        >>> left = drop(dict(keypoint=np.ones((1, 80, 20, 3))))['keypoint'].any(-1)
        >>> bool(15 <= left.all(1).sum() < 20)
        True
    """

    def __init__(
        self,
        prob: float = 0.5,
        ratio: float = 0.25,
        layout: Optional[Layout] = None,
        span: float = 0.5,
    ) -> None:
        for name, part in (("prob", prob), ("ratio", ratio), ("span", span)):
            if not 0 <= part <= 1:
                raise ValueError(
                    f"JointDropout got {name}={part}: expected a part, from 0 to 1"
                )
        self.prob, self.ratio, self.layout, self.span = prob, ratio, layout, span
        self._limbs = None if layout is None else behind(skeleton(layout))  # (V, V)

    def transform(self, results: Dict) -> Dict:
        keypoint = results["keypoint"]
        self._check(keypoint)
        kept = np.ones(keypoint.shape[:3], dtype=bool)
        for person in kept:  # (T, V)
            if np.random.rand() < self.prob:
                person[self._frames(len(person)), self._joints(person.shape[1])] = False
        results["keypoint"] = keypoint * kept[..., None]
        if "keypoint_score" in results:
            results["keypoint_score"] = results["keypoint_score"] * kept
        return results

    def _frames(self, frames: int) -> slice:
        length = max(1, round(np.random.uniform(self.span, 1) * frames))
        start = np.random.randint(frames - length + 1)
        return slice(start, start + length)

    def _joints(self, joints: int) -> np.ndarray:
        """Which joints to drop: numbers, or bool [V]."""
        most = max(1, int(self.ratio * joints))
        if self._limbs is None:
            number = np.random.randint(1, most + 1)
            return np.random.choice(joints, number, replace=False)
        small = self._limbs[self._limbs.sum(1) <= most]
        return small[np.random.randint(len(small))]

    def _check(self, keypoint: np.ndarray) -> None:
        if self._limbs is not None and keypoint.shape[2] != len(self._limbs):
            raise ValueError(
                f"JointDropout got keypoint of shape {keypoint.shape}, expected [M, T, "
                f"V={len(self._limbs)}, C] of skeleton layout {self.layout!r}: name "
                "the layout that the file has"
            )

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(prob={self.prob}, ratio={self.ratio}, "
            f"layout={self.layout!r}, span={self.span})"
        )


def behind(body: Skeleton) -> np.ndarray:
    """Which joints hang on which, along the bones.

    Args:
        body: its bones lead from every joint to the root.

    Returns:
        bool [V, V]: in row i joint i itself, and those whose way to the root leads
        through it.
    """
    parents = np.array([parent for _, parent in body.bones])
    passed = np.arange(len(parents))
    result = np.zeros((len(parents), len(parents)), dtype=bool)
    for _ in parents:  # no way is longer
        result[passed, np.arange(len(parents))] = True
        passed = parents[passed]
    return result
