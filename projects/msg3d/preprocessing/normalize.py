"""Normalization of 2D poses by the image size, and of sequences to the range -1 to 1."""

from collections.abc import Sequence

import numpy as np

__all__ = ["center_2d", "pre_normalize_2d", "scale_to_unit"]


def pre_normalize_2d(keypoint: np.ndarray, img_shape: Sequence[float]) -> np.ndarray:
    """Scale 2D poses so that the image ranges from -1 to 1.

        x' = (x - width / 2) / (width / 2),  y' = (y - height / 2) / (height / 2)

    Results are bit for bit those of MMAction2's PreNormalize2D. Absent joints, which are
    exactly zero, are moved to the upper left corner. To keep them at zero, use
    `center_2d`.

    Args:
        keypoint: keypoints, float [M, T, V, C]. Only the first two channels change.
        img_shape: (height, width) in the unit of `keypoint`.

    Returns:
        Keypoints [M, T, V, C], with the same dtype.
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
    """Scale 2D poses like `pre_normalize_2d`, but keep absent joints at zero.

        x' = half (x - width / 2) / (width / 2),  y' = half (y - height / 2) / (height / 2)

    Args:
        keypoint: keypoints, float [M, T, V, 2].
        img_shape: (height, width) in the unit of `keypoint`; (1, 1) for coordinates that
            are fractions of the image.
        half: new coordinate of the right edge of the image. The left edge becomes -`half`.
        y_up: whether the upper edge of the image becomes `half`. By default, the lower
            edge becomes `half`.

    Returns:
        Keypoints [M, T, V, 2], with the same dtype.
    """
    present = keypoint.any(axis=-1, keepdims=True)
    keypoint = pre_normalize_2d(keypoint, img_shape)
    keypoint *= half * present
    if y_up:
        keypoint[..., 1] *= -1
    return keypoint


def scale_to_unit(keypoint: np.ndarray) -> np.ndarray:
    """Scale a sequence to the range -1 to 1 along each axis.

        x' = (x - (high + low) / 2) / ((high - low) / 2)

    `low` and `high` are computed over the present joints of all persons and frames, so
    relative positions of persons are preserved. The position and size of persons and
    paths are removed. Absent joints, which are exactly zero, are ignored and stay zero.
    Constant coordinates become 0. CTR-GCN (Chen et al., ICCV 2021) and its successors use
    this normalization for NW-UCLA after a random rotation.

    Args:
        keypoint: keypoints in any unit, [M, T, V, C].

    Returns:
        Scaled keypoints, [M, T, V, C].

    Example:
        >>> line = np.array([[2, 5], [4, 5], [6, 5]], dtype=float)[None, :, None]
        >>> scale_to_unit(line)[0, :, 0, 0]
        array([-1.,  0.,  1.])
    """
    present: np.ndarray = np.any(keypoint, -1)  # (M, T, V)
    if not present.any():
        return keypoint
    joints = keypoint[present]  # (present joints, C)
    low, high = joints.min(0), joints.max(0)
    half = (high - low) / 2
    half[half == 0] = 1
    scaled: np.ndarray = (keypoint - (high + low) / 2) / half * present[..., None]
    return scaled
