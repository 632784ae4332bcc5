"""Where a body's own axes are: its origin, its spine and its shoulders.

A layout of `msg3d.skeletons` names each end of the spine and each shoulder by joints,
often by one, sometimes by two of which the middle is meant (COCO has hips, no pelvis).
"""

from typing import Any, Dict, Sequence, Union

import numpy as np

from . import skeleton

# One joint, or several whose middle is meant.
Place = Union[int, Sequence[int]]
Layout = Union[str, Dict]


def axes_of(layout: Layout) -> Dict[str, Any]:
    """What PreNormalize3D calls the axes of a layout, and the origin.

    The origin is the top of the spine's lowest bone, as in MS-G3D's and 2s-AGCN's data
    (joint 1 of NTU RGB+D); the graph's centre may be another joint.

    Args:
        layout: a name or a dictionary that `msg3d.skeletons.skeleton` takes.

    Returns:
        `dict(center=Place, zaxis=(bottom, top), xaxis=(right, left))`.

    Raises:
        ValueError: no such layout, or one without spine or shoulders.
    """
    body = skeleton(layout)
    if not body.spine or not body.shoulders:
        raise ValueError(
            f"skeleton layout {layout!r} lacks spine or shoulders: add spine=(bottom, "
            "top) and shoulders=(right, left) to it"
        )
    return dict(center=body.spine[1], zaxis=body.spine, xaxis=body.shoulders)


def check_joints(keypoint: np.ndarray, layout: Layout) -> None:
    """Refuses keypoints [M, T, V, C] that are not 3D joints of a layout."""
    joints = len(skeleton(layout).joints)
    if keypoint.shape[2:] != (joints, 3):
        raise ValueError(
            f"keypoint has shape {keypoint.shape}, expected [M, T, V={joints}, C=3] "
            f"of skeleton layout {layout!r}: name the layout that the file has"
        )


def middle(pose: np.ndarray, place: Place, present: np.ndarray) -> np.ndarray:
    """The middle of those joints of a place that are there.

    Args:
        pose: [V, C].
        place: one joint, or several.
        present: which joints are there, bool [V].

    Returns:
        [C]; zero if none is there.
    """
    joints = np.atleast_1d(place)
    joints = joints[present[joints]]
    return pose[joints].mean(0) if len(joints) else np.zeros_like(pose[0])
