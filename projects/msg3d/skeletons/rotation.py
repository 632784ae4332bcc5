"""Rotations about the axes of space."""

import numpy as np


def rotation(axis: int, degrees: np.ndarray) -> np.ndarray:
    """Right-handed rotation matrices about x, y or z (axis 0, 1 or 2).

    Args:
        degrees: [T], or a single angle.

    Returns:
        [T, 3, 3], or [3, 3].
    """
    angle = np.deg2rad(degrees)
    matrix = np.zeros((*np.shape(angle), 3, 3))
    one, two = (axis + 1) % 3, (axis + 2) % 3
    matrix[..., axis, axis] = 1
    matrix[..., one, one] = matrix[..., two, two] = np.cos(angle)
    matrix[..., two, one] = np.sin(angle)
    matrix[..., one, two] = -matrix[..., two, one]
    return matrix
