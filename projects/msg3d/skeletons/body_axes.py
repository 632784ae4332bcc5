"""Axes of a body: origin, spine, and shoulders.

A layout in `msg3d.skeletons` defines each end of the spine and each shoulder as one joint,
or as the mean of several joints. For example, COCO has two hips, but no pelvis.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..errors import ConfigError, DataError
from .lookup import Layout, skeleton

# One joint, or several joints for their mean.
Place = int | Sequence[int]


def axes_of(layout: Layout) -> dict[str, Any]:
    """Return the origin, spine, and shoulders of a layout, as for AlignSkeleton3D.

    The origin is the top of the lowest bone of the spine, as in the data of MS-G3D and
    2s-AGCN (joint 1 of NTU RGB+D). The center of the graph may be a different joint.

    Args:
        layout: see `msg3d.skeletons.skeleton`.

    Returns:
        Dictionary with `center` (the origin), `zaxis` (bottom and top of the spine), and
        `xaxis` (right and left shoulder). Each place is a tuple of joints.

    Raises:
        ConfigError: the layout is unknown, or has no spine or shoulders (kind `layout`).
    """
    body = skeleton(layout)
    if not body.spine or not body.shoulders:
        raise ConfigError(
            f"skeleton layout {layout!r} has no spine or shoulders. Add spine=(bottom, "
            "top) and shoulders=(right, left).",
            kind="layout",
            field="layout",
        )
    return {"center": body.spine[1], "zaxis": body.spine, "xaxis": body.shoulders}


def check_joints(keypoint: np.ndarray, layout: Layout) -> None:
    """Check that keypoints have the shape [M, T, V, 3] of a layout.

    Raises:
        DataError: the shape does not match the layout (kind `layout`).
    """
    joints = len(skeleton(layout).joints)
    if keypoint.shape[2:] != (joints, 3):
        raise DataError(
            f"keypoint has shape {keypoint.shape}, expected [M, T, V={joints}, C=3] "
            f"for skeleton layout {layout!r}. Pass the layout of the file.",
            kind="layout",
            field="keypoint",
        )


def middle(pose: np.ndarray, place: Place, present: np.ndarray) -> np.ndarray:
    """Return the mean position of those joints of a place that are present.

    Args:
        pose: coordinates of the joints, [V, C].
        place: one joint, or several joints.
        present: mask of the present joints, bool [V].

    Returns:
        Coordinates [C], zero if all joints of the place are absent.
    """
    joints = np.atleast_1d(place)
    joints = joints[present[joints]]
    return pose[joints].mean(0) if len(joints) else np.zeros_like(pose[0])
