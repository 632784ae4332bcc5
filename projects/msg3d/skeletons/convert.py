"""From the joints of one layout to those of another.

A joint corresponds to the joint of its name, or of the place that another layout
calls otherwise, or is the mean of joints around it: the neck of a layout without one
is the middle of the shoulders, as OpenPose trained it and as the field derives it.
Coordinates are taken over as they are: conversion does not scale or turn.
"""

from typing import Dict, List, Tuple, Union

import numpy as np

from .lookup import skeleton

Layout = Union[str, Dict]

# What stands for a joint, best first; several names are their mean. Wrist and hand,
# ankle and foot, or the segments of a spine are different places, and stay apart.
_HIP_CENTER = ("hip_center", "spine_base", "pelvis", "mid_hip", "left_hip right_hip")
_TRUNK_MEAN = "left_hip right_hip left_shoulder right_shoulder"
_SPINE = ("spine", "spine_mid", "torso", "spine2", _TRUNK_MEAN)
_SHOULDERS_MEAN = "left_shoulder right_shoulder"
_SHOULDER_CENTER = ("shoulder_center", "spine_shoulder", "thorax", _SHOULDERS_MEAN)

COUNTERPARTS: Dict[str, Tuple[str, ...]] = {
    **{
        name: place
        for place in (_HIP_CENTER, _SPINE, _SHOULDER_CENTER)
        for name in place[:-1]
    },
    "neck": _SHOULDER_CENTER,
    "neck_nose": ("nose", "neck"),
    "head": ("left_ear right_ear",),
}


def convert_layout(
    keypoint: np.ndarray, source: Layout, target: Layout, missing: str = "error"
) -> np.ndarray:
    """The same persons with the joints of another layout.

    Args:
        keypoint: [..., V, C]; scores as [..., V, 1].
        source: layout of `keypoint`: a name, or a dictionary with `joints`.
        target: layout wanted.
        missing: 'zero' leaves a joint that has no counterpart absent (zero); 'error'
            refuses.

    Returns:
        [..., V', C], of the same type where that is a floating one, else float32. A
        mean of which one joint is absent (exactly zero) is absent.

    Raises:
        ValueError: unknown layout, a layout without names, other joints in
            `keypoint`, or a joint without counterpart.

    Example:
        >>> convert_layout(np.ones((2, 100, 17, 3)), 'coco', 'openpose').shape
        (2, 100, 18, 3)
    """
    return gather_joints(keypoint, joint_sources(source, target, missing), source)


def joint_sources(
    source: Layout, target: Layout, missing: str = "error"
) -> List[Tuple[int, ...]]:
    """For each joint of `target`, the joints of `source` whose mean it is.

    Args and errors: of `convert_layout`; with `missing='zero'` a joint without
    counterpart has none.
    """
    if missing not in ("error", "zero"):
        raise ValueError(f"missing={missing!r}: expected 'error' or 'zero'")
    number = {name: joint for joint, name in enumerate(_names(source))}

    def find(name: str) -> Tuple[int, ...]:
        for text in (name, *COUNTERPARTS.get(name, ())):
            if set(text.split()) <= set(number):
                return tuple(number[one] for one in text.split())
        return ()

    names = _names(target)
    found = [find(name) for name in names]
    lost = [name for name, joints in zip(names, found) if not joints]
    if lost and missing == "error":
        raise ValueError(
            f"layout {_title(target)} has joints without counterpart in "
            f"{_title(source)}: {', '.join(lost)}; choose another target, or "
            "missing='zero' to leave them absent"
        )
    return found


def gather_joints(
    keypoint: np.ndarray, sources: List[Tuple[int, ...]], source: Layout
) -> np.ndarray:
    """`convert_layout` with the correspondences looked up already."""
    keypoint = np.asarray(keypoint)
    if keypoint.dtype.kind != "f":
        keypoint = keypoint.astype(np.float32)
    joints = len(skeleton(source).joints)
    if keypoint.ndim < 2 or keypoint.shape[-2] != joints:
        raise ValueError(
            f"keypoint has shape {keypoint.shape}, expected [..., V={joints}, C] of "
            f"layout {_title(source)}: name the layout that the file has"
        )
    result = np.zeros(
        (*keypoint.shape[:-2], len(sources), keypoint.shape[-1]), keypoint.dtype
    )
    single = [place for place, joints in enumerate(sources) if len(joints) == 1]
    result[..., single, :] = keypoint[..., [sources[place][0] for place in single], :]
    for place, joints in enumerate(sources):
        if len(joints) > 1:
            parts = keypoint[..., joints, :]  # (..., joints of the mean, C)
            present = parts.any(-1).all(-1)[..., None]
            result[..., place, :] = parts.mean(-2) * present
    return result


def _names(layout: Layout) -> Tuple[str, ...]:
    if not isinstance(layout, str) and not layout.get("joints"):
        raise ValueError(
            f"layout {_title(layout)} has no names, and joints correspond by name: "
            "add joints=[...] to it, named as those of "
            "msg3d.skeletons.SKELETONS['nturgb+d'].joints"
        )
    return skeleton(layout).joints


def _title(layout: Layout) -> str:
    if isinstance(layout, str):
        return repr(layout)
    return f"dict(num_node={layout.get('num_node')}, ...)"
