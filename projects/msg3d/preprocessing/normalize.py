"""Normalize coordinates: 2D poses around the image center, sequences to a unit box."""

from collections.abc import Sequence

import numpy as np

__all__ = ["center_2d", "pre_normalize_2d", "scale_to_unit"]


def pre_normalize_2d(keypoint: np.ndarray, img_shape: Sequence[float]) -> np.ndarray:
    """Express 2D poses in halves of the image, from its center.

        x' = (x - width / 2) / (width / 2), and y' likewise with the height

    Results are those of MMAction2's PreNormalize2D, bit for bit. Absent joints, which are
    exactly zero, are moved to the upper left corner; `center_2d` keeps them.

    Args:
        keypoint: [M, T, V, C], float; only the first two channels change.
        img_shape: (height, width) in the unit of `keypoint`.

    Returns:
        [M, T, V, C], of the same type.
    """
    keypoint = keypoint.copy()
    height, width = img_shape
    for axis, side in ((0, width), (1, height)):
        keypoint[..., axis] = (keypoint[..., axis] - side / 2) / (side / 2)
    return keypoint


def center_2d(
    keypoint: np.ndarray,
    img_shape: Sequence[float],
    half: float = 1.0,
    y_up: bool = False,
) -> np.ndarray:
    """`pre_normalize_2d` for poses with absent joints, which stay zero.

        x' = half (x - width / 2) / (width / 2), and y' likewise with the height

    Args:
        keypoint: [M, T, V, 2], float.
        img_shape: (height, width) in the unit of `keypoint`; (1, 1) for coordinates in
            parts of the image.
        half: what the right edge of the image becomes; the left one is -`half`.
        y_up: whether the upper edge becomes `half`, not the lower one.

    Returns:
        [M, T, V, 2], of the same type.
    """
    present = keypoint.any(axis=-1, keepdims=True)
    keypoint = pre_normalize_2d(keypoint, img_shape)
    keypoint *= half * present
    if y_up:
        keypoint[..., 1] *= -1
    return keypoint


def scale_to_unit(keypoint: np.ndarray) -> np.ndarray:
    """Scale a sequence so that it fills -1 to 1 in each coordinate.

        x' = (x - (high + low) / 2) / ((high - low) / 2)

    with `low` and `high` over all joints present in all persons and frames, so persons
    keep their places. CTR-GCN (Chen et al., ICCV 2021) and its successors do this with
    NW-UCLA after a random rotation. It removes position, height, and reach, including
    the length of paths. Joints that are exactly zero are absent: they are ignored, and
    stay zero. A coordinate that never changes becomes 0.

    Args:
        keypoint: [M, T, V, C], in any unit.

    Returns:
        [M, T, V, C].

    Example:
        >>> line = np.array([[2, 5], [4, 5], [6, 5]], dtype=float)[None, :, None]
        >>> scale_to_unit(line)[0, :, 0, 0]
        array([-1.,  0.,  1.])
    """
    present: np.ndarray = np.any(keypoint, -1)  # (M, T, V)
    if not present.any():
        return keypoint
    joints = keypoint[present]  # (joints present, C)
    low, high = joints.min(0), joints.max(0)
    half = (high - low) / 2
    half[half == 0] = 1
    scaled: np.ndarray = (keypoint - (high + low) / 2) / half * present[..., None]
    return scaled
