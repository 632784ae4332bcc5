"""The axes of a body: its origin, its spine, and its shoulders.

A layout of `msg3d.skeletons` names each end of the spine and each shoulder by one joint,
or by two joints whose mean is meant (COCO has hips, but no pelvis).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..errors import ConfigError, DataError
from .lookup import Layout, skeleton

# One joint, or several whose mean is meant.
Place = int | Sequence[int]


def axes_of(layout: Layout) -> dict[str, Any]:
    """Return the origin and the axes of a layout, named as PreNormalize3D names them.

    The origin is the top of the lowest bone of the spine, as in the data of MS-G3D and
    2s-AGCN (joint 1 of NTU RGB+D); the center of the graph may be another joint.

    Args:
        layout: a name or a dictionary that `msg3d.skeletons.skeleton` takes.

    Returns:
        `dict(center=Place, zaxis=(bottom, top), xaxis=(right, left))`.

    Raises:
        ConfigError: unknown layout, or a layout without spine or shoulders.
    """
    body = skeleton(layout)
    if not body.spine or not body.shoulders:
        raise ConfigError(
            f"skeleton layout {layout!r} lacks spine or shoulders: add spine=(bottom, "
            "top) and shoulders=(right, left) to it",
            kind="layout",
            field="layout",
        )
    return {"center": body.spine[1], "zaxis": body.spine, "xaxis": body.shoulders}


def check_joints(keypoint: np.ndarray, layout: Layout) -> None:
    """Refuse keypoints that are not 3D joints [M, T, V, 3] of a layout.

    Raises:
        DataError: of kind "layout".
    """
    joints = len(skeleton(layout).joints)
    if keypoint.shape[2:] != (joints, 3):
        raise DataError(
            f"keypoint has shape {keypoint.shape}, expected [M, T, V={joints}, C=3] "
            f"of skeleton layout {layout!r}: name the layout that the file has",
            kind="layout",
            field="keypoint",
        )


def middle(pose: np.ndarray, place: Place, present: np.ndarray) -> np.ndarray:
    """Return the mean of those joints of a place that are present.

    Args:
        pose: [V, C].
        place: one joint, or several.
        present: which joints are present, bool [V].

    Returns:
        [C]; zero if none of the joints is present.
    """
    joints = np.atleast_1d(place)
    joints = joints[present[joints]]
    return pose[joints].mean(0) if len(joints) else np.zeros_like(pose[0])
