"""Forward kinematics of a human body: joint positions from bone angles.

A body of layout 'kinect20' is a tree of rigid bones. Each bone is rotated in its parent's
frame by the angles of `ANGLES`, so bone lengths never change. Arm angles follow the
recommendation of Wu et al., J. Biomech. 38, 2005: plane of elevation, elevation, axial
rotation.

In the body frame, x points to the left of the body, y up, and z forward. Units are meters
and degrees. If all angles are zero, the body stands with hanging arms.
"""

import numpy as np

from ..skeletons.rotation import rotation

_SIDED = (
    *("elevation", "plane", "rotation", "elbow", "wrist"),
    *("hip", "spread", "knee", "ankle"),
)
ANGLES: tuple[str, ...] = (
    *("turn", "trunk", "bend", "twist", "nod", "look"),
    *(f"left_{name}" for name in _SIDED),
    *(f"right_{name}" for name in _SIDED),
)
COLUMN = {name: column for column, name in enumerate(ANGLES)}
LIMBS: dict[str, slice] = {
    "left_arm": slice(6, 11),
    "left_leg": slice(11, 15),
    "right_arm": slice(15, 20),
    "right_leg": slice(20, 24),
}

PARENTS = (-1, 0, 1, 2, 2, 4, 5, 6, 2, 8, 9, 10, 0, 12, 13, 14, 0, 16, 17, 18)
# The bone that ends at each joint, for a body 1.75 m tall.
_ARM = ((0.17, -0.07, 0), (0, -0.28, 0), (0, -0.25, 0), (0, -0.09, 0))
_LEG = ((0.09, -0.09, 0), (0, -0.43, 0), (0, -0.41, 0), (0, -0.05, 0.12))
_LEFT, _RIGHT = np.array((1.0, 1, 1)), np.array((-1.0, 1, 1))
BONES = np.array(
    [
        *((0, 0, 0), (0, 0.12, 0), (0, 0.37, 0), (0, 0.22, 0)),
        *(_ARM * _LEFT),
        *(_ARM * _RIGHT),
        *(_LEG * _LEFT),
        *(_LEG * _RIGHT),
    ]
)
_FEET = np.array((15, 19))


def _chain(*turns: tuple[int, np.ndarray]) -> np.ndarray:
    """Return the product [T, 3, 3] of rotations (axis, degrees), outermost first."""
    product = rotation(*turns[0])
    for turn in turns[1:]:
        product = np.einsum("tij,tjk->tik", product, rotation(*turn))
    return product


def _bone_rotations(angles: np.ndarray) -> dict[int, np.ndarray]:
    """Return the rotation [T, 3, 3] of each rotated bone, in its parent's frame."""
    angle = {name: angles[:, column] for name, column in COLUMN.items()}
    turns = {
        0: _chain((1, angle["turn"])),
        1: _chain((0, angle["trunk"] / 2), (2, -angle["bend"] / 2)),
        2: _chain(
            (0, angle["trunk"] / 2), (2, -angle["bend"] / 2), (1, angle["twist"])
        ),
        3: _chain((0, angle["nod"]), (1, angle["look"])),
    }
    for side, sign, elbow, knee in (("left", 1, 5, 13), ("right", -1, 9, 17)):
        own = {name: angle[f"{side}_{name}"] for name in _SIDED}
        plane = sign * own["plane"]
        turns[elbow] = _chain(
            *((1, plane), (0, -own["elevation"])),
            (1, sign * own["rotation"] - plane),
        )
        turns[elbow + 1] = _chain((0, -own["elbow"]))
        turns[elbow + 2] = _chain((0, -own["wrist"]))
        turns[knee] = _chain((2, sign * own["spread"]), (0, -own["hip"]))
        turns[knee + 1] = _chain((0, own["knee"]))
        turns[knee + 2] = _chain((0, -own["ankle"]))
    return turns


def forward_kinematics(angles: np.ndarray, bones: np.ndarray = BONES) -> np.ndarray:
    """Return the joint positions of a body that stands on the floor.

    The lower foot supports the body and stays in place. Therefore the body sinks when it
    sits down and does not slide when it kicks. The pelvis stays upright, so bending the
    trunk does not lift the legs.

    Args:
        angles: joint angles, [T, 24], degrees, in the order of `ANGLES`.
        bones: bone vectors, [V, 3], meters; see `BONES`.

    Returns:
        Joint positions, [T, V, 3], meters. The floor is at y = 0.

    Example:
        >>> forward_kinematics(np.zeros((8, 24))).shape
        (8, 20, 3)
    """
    turns = _bone_rotations(angles)
    joints = np.zeros((len(angles), len(bones), 3))
    frames = {0: turns[0]}
    for joint, parent in enumerate(PARENTS[1:], start=1):
        frame = frames[parent]
        if joint in turns:
            frame = np.einsum("tij,tjk->tik", frame, turns[joint])
        frames[joint] = frame
        joints[:, joint] = joints[:, parent] + frame @ bones[joint]

    feet = joints[:, _FEET]  # (T, 2, 3)
    height = feet[..., 1] - feet[..., 1].min(axis=1, keepdims=True)
    weight = np.exp(-height / 0.03)  # blends the feet within about 3 cm
    weight /= weight.sum(axis=1, keepdims=True)
    standing = np.zeros((2, 3))
    for foot, end in enumerate(_FEET):
        while end:
            standing[foot] += bones[end]
            end = PARENTS[end]
    standing[:, 1] = 0
    shift = (weight[..., None] * (standing - feet)).sum(axis=1)  # (T, 3)
    return joints + shift[:, None]
