"""Convert keypoints from one layout to another.

A joint corresponds to the joint of the same name, to a joint that another layout names
differently, or to the mean of joints around it: the neck of a layout without one is the
middle of the shoulders, as OpenPose was trained. Coordinates are copied: conversion does
not scale or rotate.
"""

import numpy as np

from ..errors import ConfigError, DataError
from .lookup import Layout, skeleton

# Counterparts of a joint, best first; several names stand for their mean. Wrist and
# hand, ankle and foot, and the segments of a spine are different places.
_HIP_CENTER = ("hip_center", "spine_base", "pelvis", "mid_hip", "left_hip right_hip")
_TRUNK_MEAN = "left_hip right_hip left_shoulder right_shoulder"
_SPINE = ("spine", "spine_mid", "torso", "spine2", _TRUNK_MEAN)
_SHOULDERS_MEAN = "left_shoulder right_shoulder"
_SHOULDER_CENTER = ("shoulder_center", "spine_shoulder", "thorax", _SHOULDERS_MEAN)

COUNTERPARTS: dict[str, tuple[str, ...]] = {
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
    """Return the same persons with the joints of another layout.

    Args:
        keypoint: [..., V, C]; scores as [..., V, 1].
        source: layout of `keypoint`: a name, or a dictionary or file with `joints`.
        target: layout of the result.
        missing: 'zero' leaves a joint without counterpart absent (zero); 'error' raises.

    Returns:
        [..., V', C], of the same dtype if it is floating-point, else float32. A mean is
        absent if one of its joints is absent (exactly zero).

    Raises:
        ConfigError: a layout is unknown or has no names of joints, or a joint has no
            counterpart (`layout`); or `missing` is invalid (`option`).
        DataError: `keypoint` has another number of joints (`layout`).

    Example:
        >>> convert_layout(np.ones((2, 100, 17, 3)), 'coco', 'openpose').shape
        (2, 100, 18, 3)
    """
    return gather_joints(keypoint, joint_sources(source, target, missing), source)


def joint_sources(
    source: Layout, target: Layout, missing: str = "error"
) -> list[tuple[int, ...]]:
    """Return, for each joint of `target`, the joints of `source` whose mean it is.

    Arguments and errors are those of `convert_layout`. With `missing='zero'`, a joint
    without counterpart has an empty tuple.
    """
    if missing not in ("error", "zero"):
        raise ConfigError(
            f"missing is {missing!r}, expected 'error' or 'zero'", kind="option"
        )
    number = {name: joint for joint, name in enumerate(_names(source))}

    def find(name: str) -> tuple[int, ...]:
        for text in (name, *COUNTERPARTS.get(name, ())):
            if set(text.split()) <= set(number):
                return tuple(number[joint] for joint in text.split())
        return ()

    names = _names(target)
    sources = [find(name) for name in names]
    lost = [name for name, joints in zip(names, sources, strict=True) if not joints]
    if lost and missing == "error":
        raise ConfigError(
            f"layout {_title(target)} has joints without counterpart in "
            f"{_title(source)}: {', '.join(lost)}. Choose another target, or "
            "missing='zero' to leave them absent.",
            kind="layout",
        )
    return sources


def gather_joints(
    keypoint: np.ndarray, sources: list[tuple[int, ...]], source: Layout
) -> np.ndarray:
    """Apply `convert_layout` with the `sources` that `joint_sources` returned."""
    keypoint = np.asarray(keypoint)
    if keypoint.dtype.kind != "f":
        keypoint = keypoint.astype(np.float32)
    num_node = len(skeleton(source).joints)
    if keypoint.ndim < 2 or keypoint.shape[-2] != num_node:
        raise DataError(
            f"keypoint has shape {keypoint.shape}, expected [..., V={num_node}, C] of "
            f"layout {_title(source)}: name the layout of the file",
            kind="layout",
            field="keypoint",
        )
    result = np.zeros(
        (*keypoint.shape[:-2], len(sources), keypoint.shape[-1]), keypoint.dtype
    )
    single = [place for place, joints in enumerate(sources) if len(joints) == 1]
    result[..., single, :] = keypoint[..., [sources[place][0] for place in single], :]
    for place, joints in enumerate(sources):
        if len(joints) > 1:
            parts = keypoint[..., joints, :]  # (..., joints of the mean, C)
            present = np.any(parts, -1).all(-1, keepdims=True)
            result[..., place, :] = parts.mean(-2) * present
    return result


def _names(layout: Layout) -> tuple[str, ...]:
    names = skeleton(layout).joints
    if "joint_0" in names:  # the names of joints without names
        raise ConfigError(
            f"layout {_title(layout)} has no names, and joints correspond by name: "
            "add joints=[...] to it, named as those of "
            "msg3d.skeletons.SKELETONS['nturgb+d'].joints",
            kind="layout",
            field="joints",
        )
    return names


def _title(layout: Layout) -> str:
    if isinstance(layout, str):
        return repr(layout)
    return f"dict(num_node={len(skeleton(layout).joints)}, ...)"
