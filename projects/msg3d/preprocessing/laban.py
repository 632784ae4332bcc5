"""Laban's Effort as features of joints: Time, Flow, Space and Weight.

With x_j(t) the position of joint j, and θ_j the angles in radians between its bone
(joint less parent) and the x, y and z axes:

- Time: velocity, x_j(t) - x_j(t - 1).
- Flow: second difference of the angles, θ_j(t) - 2 θ_j(t - 1) + θ_j(t - 2).
- Space: the angles θ_j(t).
- Weight: the angles again (published), or kinetic energy for a mass of 1, half the
  squared velocity per axis (corrected). Larboulette and Gibet measure the Effort
  Weight by the energy, summed over the body.

The published variant starts from frames of zeros, so its first velocity is the position
and its first two second differences contain angles. The corrected variant has zero where
there is no earlier frame.

Source: Erkoç, Demirci, Sonlu and Güdükbay, "Skeleton-based Personality Recognition
using Laban Movement Analysis", PMLR 173:74-87, 2022, and their code; for the kinetic
energy Larboulette and Gibet, "A Review of Computable Expressive Descriptors of Human
Motion", MOCO 2015.
"""

from collections.abc import Sequence

import numpy as np

__all__ = ["EFFORTS", "laban_effort"]

EFFORTS = ("time", "flow", "space", "weight")


def laban_effort(
    keypoint: np.ndarray,
    parents: Sequence[int],
    efforts: Sequence[str] = EFFORTS,
    coordinates: bool = True,
    published: bool = True,
    neighbors: bool = False,
    fps: float = 1,
    centers: Sequence[int] = (),
) -> np.ndarray:
    """Compute three channels per joint for each Effort.

    A joint that is exactly zero is absent, and its features are zero. So are those of a
    bone that lacks an end, and differences that lack an earlier frame. A bone without
    length, as that of the root with itself, is at right angles to all axes: π/2.

    Args:
        keypoint: [M, T, V, 3].
        parents: the parent of each joint; the root is its own parent.
        efforts: some of `EFFORTS`, in the order of the result.
        coordinates: whether the coordinates come first.
        published: whether to compute the published variant, not the corrected one.
        neighbors: whether Time is x_j(t) - x_{j-1}(t), as in the published code.
        fps: frames per second, for velocities, second differences and energies per
            second; 1 for features per frame.
        centers: joints at the origin, which are present although they are zero.

    Returns:
        float32 [M, T, V, C], C = 3 for the coordinates and 3 for each Effort.
    """
    joints, parents = keypoint.astype(np.float32), list(parents)
    present: np.ndarray = np.any(joints, -1)  # (M, T, V)
    present[..., list(centers)] |= present.any(-1, keepdims=True)
    features: dict[str, np.ndarray] = {"coordinates": joints}
    of_bones = {"flow", "space"} | ({"weight"} if published else set())
    if of_bones & set(efforts):
        ends = present & present[..., parents]
        space = _angles(joints, parents) * ends[..., None]
        change = _difference(space, ends, 1, fps, published)
        flow = _difference(change, ends, 2, fps, published)
        features.update(space=space, flow=flow, weight=space)
    if set(efforts) - of_bones:
        velocity = _difference(joints, present, 1, fps, published)
        time = _neighbor_difference(joints, present) if neighbors else velocity
        features.update(time=time)
        if not published:
            features.update(weight=velocity**2 / 2)
    names = ["coordinates"] * coordinates + list(efforts)
    return np.concatenate([features[name] for name in names], -1)


def _angles(joints: np.ndarray, parents: list[int]) -> np.ndarray:
    """The angles of each joint's bone with the axes, [M, T, V, 3]."""
    bones = joints - joints[..., parents, :]
    # Squares of float32 lose bones shorter than 1e-19.
    length = np.linalg.norm(bones.astype(np.float64), axis=-1, keepdims=True)
    cosines = bones / np.where(length > 0, length, 1)
    angles: np.ndarray = np.arccos(np.clip(cosines, -1, 1))
    return angles.astype(np.float32)


def _difference(
    values: np.ndarray, present: np.ndarray, order: int, fps: float, published: bool
) -> np.ndarray:
    """The change of values [M, T, V, 3] from the previous frame, per second.

    Args:
        values: the `order - 1`th differences already.
        present: [M, T, V]; a difference needs all its `order + 1` frames.
        order: of the difference that this makes.
    """
    zero = np.zeros_like(values[:, :1])
    change: np.ndarray = np.diff(values, axis=1, prepend=zero) * np.float32(fps)
    # The published variant has zeros before the first frame, the corrected one nothing.
    before = np.full_like(present[:, :1], published)
    complete = present
    for _ in range(order):
        present = np.concatenate([before, present[:, :-1]], axis=1)
        complete = complete & present
    change *= complete[..., None]
    return change


def _neighbor_difference(joints: np.ndarray, present: np.ndarray) -> np.ndarray:
    """Each joint less the joint with the previous number; the first as it is."""
    change: np.ndarray = np.diff(
        joints, axis=2, prepend=np.zeros_like(joints[:, :, :1])
    )
    both = present.copy()
    both[..., 1:] &= present[..., :-1]
    change *= both[..., None]
    return change
