"""Laban's Effort as features of joints: Time, Flow, Space and Weight.

Source: Erkoç, Demirci, Sonlu and Güdükbay, "Skeleton-based Personality Recognition
using Laban Movement Analysis", PMLR 173:74-87, 2022, and their code; for the kinetic
energy Larboulette and Gibet, "A Review of Computable Expressive Descriptors of Human
Motion", MOCO 2015.
"""

from typing import Dict, Optional, Sequence, Union

import numpy as np
from mmaction.registry import TRANSFORMS
from mmcv.transforms import BaseTransform

from ...skeletons import skeleton
from ...skeletons.body_axes import Layout, Place, check_joints

EFFORTS = ("time", "flow", "space", "weight")


@TRANSFORMS.register_module()
class LabanEffort(BaseTransform):
    """Three channels a joint for each of Laban's four Efforts, beside the coordinates.

    With x_j(t) the position of joint j, and θ_j the angles in radians between its bone
    (joint less parent) and the x, y and z axis:

    - time: velocity, x_j(t) - x_j(t - 1);
    - flow: second difference of the angles, θ_j(t) - 2 θ_j(t - 1) + θ_j(t - 2);
    - space: the angles θ_j(t) themselves;
    - weight: the angles again, as the study has it; or, `variant='corrected'`, kinetic
      energy for a mass of 1 in the parts of the three axes, half the squared velocity.
      Larboulette and Gibet measure the Effort Weight by it, summed over the body.

    The study starts from frames of zeros, so that its first velocity is the position
    and its first two second differences hold angles; the corrected variant has zero
    there, where there is no earlier frame.

    The angles depend on the view, so AlignView belongs before this, and a clip of
    consecutive frames after it: frames at other distances are other velocities.

    A joint that is exactly zero is absent, and so are its features; where a bone lacks
    an end, or a difference an earlier frame, they are zero too. A bone without length,
    like that of the root with itself, is at right angles to all axes: π/2.

    Args:
        layout: a name of `msg3d.skeletons`, or such a dictionary; its bones count.
        efforts: which of 'time', 'flow', 'space' and 'weight', in the order wanted.
        coordinates: whether the coordinates come first.
        variant: 'published' or 'corrected'.
        time: 'frame', or 'joint' for what the study's published code computes instead
            of a velocity, the difference x_j(t) - x_{j-1}(t) of neighbouring numbers.
        fps: frames a second, for velocities, second differences and energies by the
            second; 1 leaves them by the frame. Energies of metres by the frame are so
            small that a BatchNorm's epsilon hides them.
        center: the joint, or several, that normalisation has moved to the origin: zero
            is where it is, not absence. Without it the one AlignView moves there.

    Required and modified key: `keypoint` [M, T, V, 3] -> float32 [M, T, V, C], C = 3
    for the coordinates and 3 for each Effort.

    Raises:
        ValueError: no such layout, Effort or variant, or keypoints of another layout.

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
        for name, value, known in (
            ("variant", variant, ("published", "corrected")),
            ("time", time, ("frame", "joint")),
        ):
            if value not in known:
                raise ValueError(
                    f"LabanEffort got {name}={value!r}: expected one of {list(known)}"
                )
        _check_efforts(efforts, coordinates)
        if not fps > 0:
            raise ValueError(
                f"LabanEffort got fps={fps!r}: expected the frames a second of the "
                "data, more than 0, or 1 for features by the frame"
            )
        self.layout, self.efforts, self.coordinates = layout, list(efforts), coordinates
        self.variant, self.time, self.fps = variant, time, fps
        self._published = variant == "published"
        body = skeleton(layout)
        if center is None:
            # The middle of several joints is no joint's place.
            top = body.spine[1] if body.spine else ()
            center = top if len(top) == 1 else ()
        self.center = center
        self._centers = np.atleast_1d(np.asarray(center, dtype=int))
        self._parents = [parent for _, parent in body.bones]

    def transform(self, results: Dict) -> Dict:
        check_joints(results["keypoint"], self.layout)
        joints = results["keypoint"].astype(np.float32)
        present = joints.any(-1)  # (M, T, V)
        present[..., self._centers] |= present.any(-1, keepdims=True)
        features = dict(coordinates=joints)
        of_bones = {"flow", "space"} | ({"weight"} if self._published else set())
        if of_bones & set(self.efforts):
            features.update(self._of_bones(joints, present))
        if set(self.efforts) - of_bones:
            features.update(self._of_positions(joints, present))
        names = ["coordinates"] * self.coordinates + self.efforts
        results["keypoint"] = np.concatenate([features[name] for name in names], -1)
        return results

    def _of_bones(self, joints: np.ndarray, present: np.ndarray) -> Dict:
        """Space, Flow and, as published, Weight, each [M, T, V, 3]."""
        present = present & present[..., self._parents]
        space = self._angles(joints) * present[..., None]
        flow = self._change(self._change(space, present), present, order=2)
        weight = dict(weight=space) if self._published else {}
        return dict(space=space, flow=flow, **weight)

    def _of_positions(self, joints: np.ndarray, present: np.ndarray) -> Dict:
        """Time and, corrected, Weight, each [M, T, V, 3]."""
        velocity = self._change(joints, present)
        time = velocity if self.time == "frame" else _neighbours(joints, present)
        weight = {} if self._published else dict(weight=velocity**2 / 2)
        return dict(time=time, **weight)

    def _angles(self, joints: np.ndarray) -> np.ndarray:
        """Of each joint's bone with the axes, [M, T, V, 3]."""
        bones = joints - joints[..., self._parents, :]
        # Squares of float32 lose bones shorter than 1e-19.
        length = np.linalg.norm(bones.astype(np.float64), axis=-1, keepdims=True)
        cosines = bones / np.where(length > 0, length, 1)
        return np.arccos(np.clip(cosines, -1, 1)).astype(np.float32)

    def _change(
        self, values: np.ndarray, present: np.ndarray, order: int = 1
    ) -> np.ndarray:
        """From each frame to the next, by the second; zero where there is none.

        Args:
            values: [M, T, V, 3], the `order - 1`th differences already.
            present: [M, T, V]; a difference needs all its `order + 1` frames.
            order: of the difference that this makes.
        """
        first = np.zeros_like(values[:, :1])
        change = np.diff(values, axis=1, prepend=first) * np.float32(self.fps)
        # Before the first frame the study has zeros, the corrected variant nothing.
        before = np.full_like(present[:, :1], self._published)
        there = present
        for _ in range(order):
            present = np.concatenate([before, present[:, :-1]], axis=1)
            there = there & present
        return change * there[..., None]

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(layout={self.layout!r}, efforts={self.efforts}, "
            f"coordinates={self.coordinates}, variant={self.variant!r}, "
            f"time={self.time!r}, fps={self.fps}, center={self.center})"
        )


def _check_efforts(efforts: Union[str, Sequence[str]], coordinates: bool) -> None:
    if isinstance(efforts, str) or set(efforts) - set(EFFORTS):
        raise ValueError(
            f"LabanEffort got efforts={efforts!r}: expected a list of some of "
            f"{list(EFFORTS)}"
        )
    if len(set(efforts)) < len(efforts) or not (efforts or coordinates):
        raise ValueError(
            f"LabanEffort got efforts={efforts!r} with coordinates={coordinates}: "
            "expected each Effort once, and something to be left"
        )


def _neighbours(joints: np.ndarray, present: np.ndarray) -> np.ndarray:
    """Each joint less the one of the number before, the first as it is."""
    change = np.diff(joints, axis=2, prepend=np.zeros_like(joints[:, :, :1]))
    there = present.copy()
    there[..., 1:] &= present[..., :-1]
    return change * there[..., None]
