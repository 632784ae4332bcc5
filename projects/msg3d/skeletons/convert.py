"""Convert keypoints from one layout to another.

A joint corresponds to the joint of the same name, to an equivalent joint of another name,
or to the mean of surrounding joints. For example, if a layout has no neck, the middle of
the shoulders is used, as in the training data of OpenPose. Conversion does not scale or
rotate coordinates.
"""

import numpy as np

from ..errors import ConfigError, DataError
from .lookup import Layout, skeleton

# Counterparts of a joint, best first; several names stand for their mean. Wrist and hand,
# ankle and foot, and the segments of a spine are different joints.
_HIP_CENTER = ("hip_center", "spine_base", "pelvis", "mid_hip", "left_hip right_hip")
_TRUNK_MEAN = "left_hip right_hip left_shoulder right_shoulder"
_SPINE = (
    *("spine", "spine_mid", "torso", "belly", "spine_navel", "spine2"),
    _TRUNK_MEAN,
)
_SHOULDERS_MEAN = "left_shoulder right_shoulder"
_SHOULDER_CENTER = ("shoulder_center", "spine_shoulder", "thorax", _SHOULDERS_MEAN)

COUNTERPARTS: dict[str, tuple[str, ...]] = {
    **{
        name: counterparts
        for counterparts in (_HIP_CENTER, _SPINE, _SHOULDER_CENTER)
        for name in counterparts[:-1]
    },
    "neck": _SHOULDER_CENTER,
    "neck_nose": ("nose", "neck"),
    "head": ("left_ear right_ear",),
}
for _side in ("left", "right"):
    COUNTERPARTS |= {
        f"{_side}_hand": tuple(
            f"{_side}_{first} {_side}_{last}"
            for first, last in (
                ("index_knuckle", "pinky_knuckle"),
                ("index_mcp", "pinky_mcp"),
            )
        ),
        f"{_side}_hand_tip": (f"{_side}_middle_tip",),
        f"{_side}_thumb": (f"{_side}_thumb_tip",),
        f"{_side}_foot": (f"{_side}_big_toe {_side}_small_toe",),
        f"{_side}_hand_root": (f"{_side}_wrist",),
        f"{_side}_collar": (f"{_side}_clavicle",),
        f"{_side}_clavicle": (f"{_side}_collar",),
    }


def convert_layout(
    keypoint: np.ndarray, source: Layout, target: Layout, missing: str = "error"
) -> np.ndarray:
    """Convert keypoints to the joints of another layout.

    Args:
        keypoint: keypoints [..., V, C], or scores [..., V, 1].
        source: layout of `keypoint`, as a name, or as a dictionary or file with `joints`.
        target: layout of the result.
        missing: treatment of joints without counterpart: 'error' to raise an error, or
            'zero' to set them to zero (absent).

    Returns:
        Keypoints [..., V', C], with the same dtype if it is a floating-point dtype,
        otherwise float32. A joint computed as a mean is absent (exactly zero) if any
        joint of the mean is absent.

    Raises:
        ConfigError: a layout is unknown or has no joint names, or a joint has no
            counterpart (kind `layout`). Or `missing` is invalid (kind `option`).
        DataError: `keypoint` has the wrong number of joints (kind `layout`).

    Example:
        >>> convert_layout(np.ones((2, 100, 17, 3)), 'coco', 'openpose').shape
        (2, 100, 18, 3)
    """
    return gather_joints(keypoint, joint_sources(source, target, missing), source)


def joint_sources(
    source: Layout, target: Layout, missing: str = "error"
) -> list[tuple[int, ...]]:
    """Return the joints of the source layout that each target joint is computed from.

    For arguments and errors, see `convert_layout`.

    Returns:
        One tuple of source joints per target joint. The target joint is their mean. With
        `missing='zero'`, the tuple of a joint without counterpart is empty.
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
    unmatched = [
        name for name, joints in zip(names, sources, strict=True) if not joints
    ]
    if unmatched and missing == "error":
        raise ConfigError(
            f"{len(unmatched)} joints of layout {_title(target)} have no counterpart in "
            f"layout {_title(source)} ({', '.join(unmatched)}). Choose another target, or "
            "set missing='zero' to leave these joints absent.",
            kind="layout",
        )
    return sources


def gather_joints(
    keypoint: np.ndarray, sources: list[tuple[int, ...]], source: Layout
) -> np.ndarray:
    """Compute the keypoints of a target layout from those of a source layout.

    Args:
        keypoint: keypoints [..., V, C].
        sources: result of `joint_sources`.
        source: layout of `keypoint`.

    Returns:
        Keypoints [..., V', C], see `convert_layout`.

    Raises:
        DataError: `keypoint` has the wrong number of joints (kind `layout`).
    """
    keypoint = np.asarray(keypoint)
    if keypoint.dtype.kind != "f":
        keypoint = keypoint.astype(np.float32)
    num_node = len(skeleton(source).joints)
    if keypoint.ndim < 2 or keypoint.shape[-2] != num_node:
        raise DataError(
            f"keypoint has shape {keypoint.shape}, expected [..., V={num_node}, C] for "
            f"layout {_title(source)}. Set source to the layout of the file.",
            kind="layout",
            field="keypoint",
        )
    result = np.zeros(
        (*keypoint.shape[:-2], len(sources), keypoint.shape[-1]), keypoint.dtype
    )
    single = [joint for joint, joints in enumerate(sources) if len(joints) == 1]
    result[..., single, :] = keypoint[..., [sources[joint][0] for joint in single], :]
    for joint, joints in enumerate(sources):
        if len(joints) > 1:
            parts = keypoint[..., joints, :]  # (..., joints of the mean, C)
            present = np.any(parts, -1).all(-1, keepdims=True)
            result[..., joint, :] = parts.mean(-2) * present
    return result


def _names(layout: Layout) -> tuple[str, ...]:
    names = skeleton(layout).joints
    if "joint_0" in names:  # placeholder names
        raise ConfigError(
            f"layout {_title(layout)} has no joint names, which conversion requires. Add "
            "joints=[...] with names as in "
            "msg3d.skeletons.SKELETONS['nturgb+d'].joints.",
            kind="layout",
            field="joints",
        )
    return names


def _title(layout: Layout) -> str:
    if isinstance(layout, str):
        return repr(layout)
    return f"dict(num_node={len(skeleton(layout).joints)}, ...)"
