"""Rotation matrices about the coordinate axes, and from one vector to another."""

import numpy as np


def rotation(axis: int, degrees: float | np.ndarray) -> np.ndarray:
    """Return right-handed rotation matrices about one coordinate axis.

    Args:
        axis: 0 for x, 1 for y, 2 for z.
        degrees: a single angle, or angles [T].

    Returns:
        Matrix [3, 3] for a single angle, or matrices [T, 3, 3].
    """
    angle = np.deg2rad(degrees)
    matrix = np.zeros((*np.shape(angle), 3, 3))
    first, second = (axis + 1) % 3, (axis + 2) % 3
    matrix[..., axis, axis] = 1
    matrix[..., first, first] = matrix[..., second, second] = np.cos(angle)
    matrix[..., second, first] = np.sin(angle)
    matrix[..., first, second] = -matrix[..., second, first]
    return matrix


def rotation_about_axes(x: float, y: float, z: float) -> np.ndarray:
    """Return the matrix [3, 3] of rotations in degrees about x, then y, then z."""
    matrix: np.ndarray = rotation(2, z) @ rotation(1, y) @ rotation(0, x)
    return matrix


def rotation_onto(vector: np.ndarray, axis: list[int]) -> np.ndarray:
    """Return the matrix [3, 3] that rotates a vector [3] onto an axis, such as [0, 0, 1].

    Uses the Euler-Rodrigues formula. The result is the identity if the vector or its
    cross product with the axis is shorter than 1e-6 (parallel and opposite vectors).
    Results are bit for bit those of MMAction2's PreNormalize3D.
    """
    normal = np.cross(vector, axis)
    theta = _angle(vector, axis)
    if np.abs(normal).sum() < 1e-6 or np.abs(theta) < 1e-6:
        return np.eye(3)
    normal = normal / np.sqrt(np.dot(normal, normal))
    a = np.cos(theta / 2.0)
    b, c, d = -normal * np.sin(theta / 2.0)
    return np.array(
        [
            [a * a + b * b - c * c - d * d, 2 * (b * c + a * d), 2 * (b * d - a * c)],
            [2 * (b * c - a * d), a * a + c * c - b * b - d * d, 2 * (c * d + a * b)],
            [2 * (b * d + a * c), 2 * (c * d - a * b), a * a + d * d - b * b - c * c],
        ]
    )


def _angle(first: np.ndarray, second: np.ndarray | list[int]) -> float:
    """Return the angle between vectors in radians; 0 if either is shorter than 1e-6."""
    if min(np.abs(first).sum(), np.abs(second).sum()) < 1e-6:
        return 0
    cosine = np.dot(
        first / np.linalg.norm(first), np.divide(second, np.linalg.norm(second))
    )
    angle: float = np.arccos(np.clip(cosine, -1.0, 1.0))
    return angle
