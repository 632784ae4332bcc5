"""Data augmentation: rotation, scaling, camera movement, occlusion, and mirroring.

The functions are deterministic, and the caller draws the random parameters. Absent joints
are exactly zero, in inputs and results. Coordinates are in any unit.
"""

from collections.abc import Sequence

import numpy as np

from ..errors import ConfigError
from ..skeletons import Skeleton, skeleton
from ..skeletons.lookup import Layout
from ..skeletons.rotation import rotation_about_axes

__all__ = ["limbs", "mirror", "mirrored_order", "move_2d", "rotate", "scale"]


def rotate(keypoint: np.ndarray, degrees: Sequence[float]) -> np.ndarray:
    """Rotate keypoints [M, T, V, 3] about x, then y, then z, by three angles in degrees."""
    matrix = rotation_about_axes(*degrees)
    rotated: np.ndarray = keypoint @ matrix.astype(keypoint.dtype).T
    return rotated


def scale(keypoint: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """Scale keypoints [M, T, V, 3] by one factor per axis, [3]."""
    scaled: np.ndarray = keypoint * factors.astype(keypoint.dtype)
    return scaled


def move_2d(
    keypoint: np.ndarray,
    degrees: np.ndarray,
    factor: np.ndarray,
    right: np.ndarray,
    up: np.ndarray,
) -> np.ndarray:
    """Rotate, scale, and shift 2D poses as if the camera moved.

        x' = factor (x cos - y sin) + right,  y' = factor (x sin + y cos) + up

    Args:
        keypoint: keypoints, [M, T, V, C]. Only the first two channels change.
        degrees: angle of each frame, [T].
        factor: scale factor of each frame, [T].
        right, up: shift of each frame in x and y, [T], in the unit of `keypoint`.

    Returns:
        Keypoints [M, T, V, C], with the same dtype.
    """
    degrees, factor, right, up = (
        values[:, None] for values in (degrees, factor, right, up)
    )  # (T, 1)
    cos = factor * np.cos(np.radians(degrees))
    sin = factor * np.sin(np.radians(degrees))
    x, y = keypoint[..., 0], keypoint[..., 1]  # (M, T, V)
    moved = np.stack([cos * x - sin * y + right, sin * x + cos * y + up], axis=-1)
    present = keypoint[..., :2].any(axis=-1, keepdims=True)
    moved = (moved * present).astype(keypoint.dtype)
    return np.concatenate([moved, keypoint[..., 2:]], axis=-1)


def limbs(body: Skeleton) -> np.ndarray:
    """Return the descendants of each joint along the bones.

    Args:
        body: skeleton with bones from every joint to the root.

    Returns:
        Mask, bool [V, V]. Row i is the mask of joint i and its descendants. For example,
        the row of an elbow contains the elbow, wrist, and hand.
    """
    parents = np.array([parent for _, parent in body.bones])
    joints = ancestors = np.arange(len(parents))
    result = np.zeros((len(parents), len(parents)), dtype=bool)
    for _ in parents:  # the maximum length of a path
        result[ancestors, joints] = True
        ancestors = parents[ancestors]
    return result


def mirrored_order(layout: Layout) -> np.ndarray:
    """Return the joints of a layout with left and right swapped, int [V].

    Raises:
        ConfigError: the layout is unknown, or has no symmetric joints (kind `layout`).
    """
    body = skeleton(layout)
    if not body.pairs:
        raise ConfigError(
            f"skeleton layout {layout!r} has no symmetric joints. Add joints=[...] with "
            "names such as left_hand and right_hand.",
            kind="layout",
            field="layout",
        )
    left, right = (list(side) for side in zip(*body.pairs, strict=True))
    order = np.arange(len(body.joints))
    order[left + right] = right + left
    return order


def mirror(
    keypoint: np.ndarray, order: np.ndarray, axis: int = 0, width: float = 0
) -> np.ndarray:
    """Mirror poses. For example, a raised left hand becomes a raised right hand.

    Args:
        keypoint: keypoints, [M, T, V, C].
        order: result of `mirrored_order`.
        axis: coordinate to mirror: 0 for x, 1 for y, 2 for z. It becomes width - x.
        width: 0 to mirror at zero, or the width of the image to mirror at its center.

    Returns:
        Keypoints [M, T, V, C], as a copy.
    """
    keypoint = keypoint[:, :, order]  # a copy
    values = keypoint[..., axis]
    keypoint[..., axis] = np.where(keypoint.any(-1), width - values, values)
    return keypoint
