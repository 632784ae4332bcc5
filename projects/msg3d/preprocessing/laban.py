"""Joint features for Laban's four Efforts: Time, Flow, Space, and Weight.

Let x_j(t) be the position of joint j, and θ_j the angles in radians between its bone
(joint minus parent) and the x, y, and z axes:

- Time: velocity, x_j(t) - x_j(t - 1).
- Flow: second difference of the angles, θ_j(t) - 2 θ_j(t - 1) + θ_j(t - 2).
- Space: angles, θ_j(t).
- Weight: in the published variant, the angles again. In the corrected variant, the kinetic
  energy for a mass of 1, which is half the squared velocity per axis. Larboulette and Gibet
  define Weight as this energy, summed over the body.

The published variant assumes frames of zeros before the first frame. Therefore, its first
velocity is the position, and its first two second differences contain angles. In the
corrected variant, differences without an earlier frame are zero.

The published variant is that of the paper and code of Erkoç, Demirci, Sonlu and Güdükbay,
"Skeleton-based Personality Recognition using Laban Movement Analysis", PMLR 173:74-87,
2022. For the kinetic energy, see Larboulette and Gibet, "A Review of Computable Expressive
Descriptors of Human Motion", MOCO 2015.
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

    Absent joints are exactly zero, and their features are zero. Features of bones with an
    absent end, and differences without an earlier frame, are also zero. The angles of
    bones of zero length, such as the bone of the root, are π/2.

    Args:
        keypoint: keypoints, [M, T, V, 3].
        parents: parent of each joint. The root is its own parent.
        efforts: some of `EFFORTS`, in the order of the result.
        coordinates: whether to put the coordinates before the Efforts.
        published: whether to compute the published variant instead of the corrected
            variant.
        neighbors: whether Time is x_j(t) - x_{j-1}(t), as in the published code.
        fps: frames per second, to compute features per second. By default, features are
            computed per frame.
        centers: joints that normalization moved to the origin. They are treated as
            present although they are zero.

    Returns:
        Features, float32 [M, T, V, C], where C is 3 for the coordinates plus 3 per Effort.
    """
    joints, parents = keypoint.astype(np.float32), list(parents)
    present: np.ndarray = np.any(joints, -1)  # (M, T, V)
    present[..., list(centers)] |= present.any(-1, keepdims=True)
    features: dict[str, np.ndarray] = {"coordinates": joints}
    bone_efforts = {"flow", "space"} | ({"weight"} if published else set())
    if bone_efforts & set(efforts):
        ends = present & present[..., parents]
        space = _angles(joints, parents) * ends[..., None]
        change = _difference(space, ends, 1, fps, published)
        flow = _difference(change, ends, 2, fps, published)
        features.update(space=space, flow=flow, weight=space)
    if set(efforts) - bone_efforts:
        velocity = _difference(joints, present, 1, fps, published)
        time = _neighbor_difference(joints, present) if neighbors else velocity
        features.update(time=time)
        if not published:
            features.update(weight=velocity**2 / 2)
    names = ["coordinates"] * coordinates + list(efforts)
    return np.concatenate([features[name] for name in names], -1)


def _angles(joints: np.ndarray, parents: list[int]) -> np.ndarray:
    """Return the angles in radians between bones and axes, [M, T, V, 3]."""
    bones = joints - joints[..., parents, :]
    # In float32, squares of lengths below 1e-19 underflow.
    length = np.linalg.norm(bones.astype(np.float64), axis=-1, keepdims=True)
    cosines = bones / np.where(length > 0, length, 1)
    angles: np.ndarray = np.arccos(np.clip(cosines, -1, 1))
    return angles.astype(np.float32)


def _difference(
    values: np.ndarray, present: np.ndarray, order: int, fps: float, published: bool
) -> np.ndarray:
    """Compute the change of values since the previous frame, per second.

    Args:
        values: values, [M, T, V, 3]: differences of order `order - 1`.
        present: mask of the present joints, [M, T, V]. A difference is zero unless the
            joint is present in `order + 1` frames.
        order: order of the difference.
        fps: frames per second.
        published: whether joints count as present before the first frame.

    Returns:
        Differences, [M, T, V, 3].
    """
    zero = np.zeros_like(values[:, :1])
    change: np.ndarray = np.diff(values, axis=1, prepend=zero) * np.float32(fps)
    before = np.full_like(present[:, :1], published)
    complete = present
    for _ in range(order):
        present = np.concatenate([before, present[:, :-1]], axis=1)
        complete = complete & present
    change *= complete[..., None]
    return change


def _neighbor_difference(joints: np.ndarray, present: np.ndarray) -> np.ndarray:
    """Subtract the joint with the previous index from each joint but the first.

    Args:
        joints: coordinates, [M, T, V, 3].
        present: mask of the present joints, [M, T, V].

    Returns:
        Differences, [M, T, V, 3].
    """
    change: np.ndarray = np.diff(
        joints, axis=2, prepend=np.zeros_like(joints[:, :, :1])
    )
    both = present.copy()
    both[..., 1:] &= present[..., :-1]
    change *= both[..., None]
    return change
