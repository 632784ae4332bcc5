"""Samples in which left and right are exchanged, seen against the others.

In three dimensions a body tells its own left: to the right of it, turned over its up,
comes its front, where the feet point. A sample that is mirrored, or whose joints are
named the other way round, has its feet pointing backwards.
"""

import numpy as np

from ...skeletons import Skeleton
from .measures import is_there

NEEDED = ("shoulder", "ankle", "foot")
# Of 2050 real Kinect sequences none is below -0.22 once most are positive; and 95 of
# 100 are above 0.3, which is what a mirrored one would have the other way round.
CLEAR = 0.3


def has_feet(layout: Skeleton) -> bool:
    """Whether the layout names what is needed."""
    return all(
        f"{side}_{part}" in layout.joints
        for side in ("left", "right")
        for part in NEEDED
    )


def handedness(keypoint: np.ndarray, layout: Skeleton) -> float:
    """How clearly the feet point forwards (1) or backwards (-1).

    Args:
        keypoint: [M, T, V, 3]; of the first person, frames without missing joints.
        layout: one that `has_feet`.

    Returns:
        The mean over frames of the cosine between feet and front, up to the sign
        that the coordinate system has; 0 without a whole frame.
    """
    keypoint = keypoint[0].astype(np.float64)
    keypoint = keypoint[is_there(keypoint).all(axis=-1)]
    if not len(keypoint):
        return 0.0

    def joint(side: str, part: str) -> np.ndarray:
        return keypoint[:, layout.joints.index(f"{side}_{part}")]

    shoulders = joint("left", "shoulder"), joint("right", "shoulder")
    ankles = joint("left", "ankle"), joint("right", "ankle")
    across = shoulders[1] - shoulders[0]
    up = sum(shoulders) - sum(ankles)
    feet = joint("left", "foot") + joint("right", "foot") - sum(ankles)
    front = np.cross(across, up)
    length = np.linalg.norm(front, axis=-1) * np.linalg.norm(feet, axis=-1)
    cosine = (front * feet).sum(axis=-1) / np.maximum(length, 1e-12)
    return float(cosine.mean())
