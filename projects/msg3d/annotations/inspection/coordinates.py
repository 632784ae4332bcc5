"""Guess layout, unit, and up axis of the coordinates, and find mirrored samples."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ...skeletons import SKELETONS, Skeleton, graph_layout, skeleton
from ...skeletons.body_size import LONGEST, SHORTEST, likely_unit
from ...skeletons.units import PER_METER, described_unit
from ..faults import Fault
from .content import LARGEST_NORMALIZED
from .measures import MeasureTable, is_present

# No person is smaller in any unit.
SMALLEST = 1e-3
# In 3D data with x and y as fractions of the image, persons are larger than this. Persons
# near the origin whose coordinates in meters were read as millimeters are smaller.
IN_PICTURE = 0.05

# Joints that are necessary to distinguish left and right.
NEEDED = ("shoulder", "ankle", "foot")
# Threshold for a clear handedness. Of 2050 real Kinect sequences with a positive majority,
# none is below -0.22, and 95 % are above 0.3 (below -0.3 if mirrored).
CLEAR = 0.3


def fitting_layouts(data: object, joints: int | None) -> list[str]:
    """Return the names of the layouts that match an annotation file, best first.

    Layouts are matched by the joint names in the file's `meta`. If there are no matching
    names, layouts are matched by the edges in `meta`, or else by the number of joints.

    Args:
        data: content of the file.
        joints: number of joints, V.
    """
    meta = data.get("meta") if isinstance(data, dict) else None
    meta = meta if isinstance(meta, dict) else {}
    fitting = {
        name: layout
        for name, layout in SKELETONS.items()
        if len(layout.joints) == joints
    }
    names, edges = meta.get("joints"), meta.get("inward")
    if isinstance(names, (list, tuple)) and all(isinstance(n, str) for n in names):
        names = tuple(map(_long_name, names))
        if matches := [name for name in fitting if fitting[name].joints == names]:
            return matches
    if isinstance(edges, (list, tuple)):
        edges = {tuple(edge) for edge in edges if isinstance(edge, (list, tuple))}
        return [name for name in fitting if set(fitting[name].inward) == edges]
    return list(fitting)


def _long_name(joint: str) -> str:
    """Return the layout's name of a joint in `meta`, such as `left_hip` for `l_hip`."""
    for short, side in (("l_", "left_"), ("r_", "right_")):
        if joint.startswith(short):
            return side + joint.removeprefix(short)
    return joint


def own_layout(data: object, joints: int | None) -> dict[str, Any] | None:
    """Return the layout that `meta` describes, as a dictionary for a config.

    The result is None if `meta` does not describe a valid layout.
    """
    meta = data.get("meta") if isinstance(data, dict) else None
    if not isinstance(meta, dict) or joints is None:
        return None
    try:
        layout = {
            "num_node": joints,
            "inward": [tuple(map(int, edge)) for edge in meta["inward"]],
            "center": int(meta["center"]),
        }
        names = meta.get("joints")
        if isinstance(names, (list, tuple)) and len({*map(str, names)}) == joints:
            layout["joints"] = [str(name) for name in names]
        graph_layout(layout)
    except (KeyError, TypeError, ValueError):
        return None
    return layout


def layout_faults(
    joints: int | None, layout: str | None, sample: str
) -> Iterator[Fault]:
    """Check the number of joints against the layout that the user specified.

    Args:
        joints: number of joints, V; None if unknown.
        layout: name or file of the layout; None if unspecified.
        sample: id of a sample with this number of joints.
    """
    expected = layout and len(skeleton(layout).joints)
    if layout is None or joints in (None, expected):
        return
    fitting = [name for name in SKELETONS if len(SKELETONS[name].joints) == joints]
    advice = (
        f"Pass the layout of the file, such as {' or '.join(map(repr, fitting))}."
        if fitting
        else "Describe the layout of the file in a .json file."
    )
    yield Fault(
        "layout-joints",
        f"'keypoint' has {joints} joints, but layout {layout!r} has {expected}. {advice}",
        sample,
        "keypoint",
    )


def guess_unit(measures: MeasureTable, hand: bool = False) -> str:
    """Guess the unit of the coordinates from the size and position of persons.

    Args:
        measures: measurements of the samples.
        hand: whether the layout is that of a hand.

    Returns:
        A unit of `skeletons.units`, or `unknown`. For 3D joints, the result is a unit of
        length in which the size of a person is plausible. It is `unscaled` if x and y
        are fractions of the image, or if all coordinates are within -1..1.
    """
    valid = measures.person_frames.array > 0
    if not valid.any():
        return "unknown"
    size = float(np.median(measures.size.array[valid]))
    low, high = measures.low.array[valid], measures.high.array[valid]
    lowest, highest = np.percentile(low, 5, axis=0), np.percentile(high, 95, axis=0)
    if size < SMALLEST:
        return "unknown"
    # Feet may be below the image. The z of depth sensors is in another unit.
    large = len(lowest) == 2 or size > IN_PICTURE
    if large and (lowest[:2] > -0.2).all() and (highest[:2] < [1.2, 1.5]).all():
        return "normalized" if len(lowest) == 2 else "unscaled"
    reach = np.maximum(np.abs(low), np.abs(high)).max(axis=1)
    if size <= LARGEST_NORMALIZED and np.median(np.abs(reach - 1)) < 1e-3:
        return "unscaled"
    if len(lowest) == 2:
        return "px" if size > LARGEST_NORMALIZED else "unscaled"
    return likely_unit(size, hand) or "unknown"


def unit_faults(
    data: object, measures: MeasureTable, channels: int | None, unit: str
) -> Iterator[Fault]:
    """Check that 3D joints have a unit of length that agrees with `meta['units']`.

    Args:
        data: the annotations.
        measures: measurements of the samples.
        channels: number of channels, C.
        unit: the unit that `guess_unit` returned.
    """
    meta = data.get("meta") if isinstance(data, dict) else None
    stated = meta.get("units") if isinstance(meta, dict) else None
    sizes = measures.size.array[measures.size.array > 0]
    if channels != 3 or not len(sizes) or unit not in (*PER_METER, "unknown"):
        return
    if stated is not None:
        if described_unit(stated) not in {*PER_METER} - {unit}:
            return
    elif unit in PER_METER:
        return
    size = float(np.median(sizes))
    if unit == "unknown":
        why = (
            f"expected {SHORTEST:g} to {LONGEST:g} m in any unit of length. Check the unit "
            "of the raw files, unless coordinates are normalized."
        )
    else:
        why = (
            f"most likely {unit}, but meta['units'] is {stated!r}. Correct one of them."
        )
    yield Fault(
        "person-size",
        f"'keypoint' has persons of size {size:.4g}, {why}",
        field="keypoint",
    )


def up_axis(keypoints: dict[str, np.ndarray], layout: Skeleton) -> str | None:
    """Return the signed axis from feet to head, such as `+y`, or None if it is unclear."""
    directions = (up_direction(keypoint, layout) for keypoint in keypoints.values())
    return axis_of(np.array([up for up in directions if up is not None]))


def axis_of(directions: np.ndarray) -> str | None:
    """Return the signed axis of directions [samples, C]; None without directions."""
    if not len(directions):
        return None
    direction = np.median(directions, axis=0)
    axis = int(np.abs(direction).argmax())
    return f"{'+' if direction[axis] > 0 else '-'}{'xyz'[axis]}"


def up_direction(keypoint: np.ndarray, layout: Skeleton) -> np.ndarray | None:
    """Return the mean direction from feet to head of a sample, float64 [C].

    Args:
        keypoint: keypoints, [M, T, V, C].
        layout: the layout.

    Returns:
        The direction; None if the layout has no head or feet, or they are never present.
    """
    joints = _head_and_feet(layout)
    if not joints:
        return None
    poses = keypoint[:, :, joints]
    poses = poses[is_present(poses).all(axis=-1)].astype(np.float64)  # [P, 1 + feet, C]
    if not len(poses):
        return None
    mean = poses.mean(axis=0)
    up: np.ndarray = mean[0] - mean[1:].mean(axis=0)
    return up


def _head_and_feet(layout: Skeleton) -> list[int]:
    """Return the numbers of the head and of the feet; [] if the layout lacks either."""
    tops = [joint for joint in ("head", "nose") if joint in layout.joints]
    feet = [
        number
        for number, joint in enumerate(layout.joints)
        if joint.endswith(("_ankle", "_foot"))
    ]
    return [layout.joints.index(tops[0]), *feet] if tops and feet else []


def mirror_faults(ids: Sequence[str], values: np.ndarray) -> Iterator[Fault]:
    """Find samples in which left and right are swapped, compared with the majority.

    In 3D, the pose shows which side is left. The cross product of the lateral and up
    directions of the body points to its front, and so do the feet. If the sample is
    mirrored or its left and right joints are swapped, the feet point backward.

    Args:
        ids: ids of the samples.
        values: `handedness` of each sample, [samples].
    """
    sign = np.sign(np.median(values)) if len(values) else 0
    for number in np.flatnonzero(values * sign < -CLEAR).tolist():
        yield Fault(
            "mirrored",
            "'keypoint' has left and right swapped, compared with most samples (the feet "
            "point backward). Check whether the sample is mirrored, or has a different "
            "joint order.",
            ids[number],
            "keypoint",
        )


def has_feet(layout: Skeleton) -> bool:
    """Return whether `handedness` supports a layout."""
    return all(
        f"{side}_{part}" in layout.joints
        for side in ("left", "right")
        for part in NEEDED
    )


def handedness(keypoint: np.ndarray, layout: Skeleton) -> float:
    """Return how clearly the feet point forward (1) or backward (-1).

    Args:
        keypoint: keypoints [M, T, V, 3]. Only frames in which all joints of the first
            person are present are used.
        layout: a layout with feet.

    Returns:
        The cosine between feet and front, averaged over frames, or 0 without complete
        frames. Its sign depends on the handedness of the coordinate system.
    """
    keypoint = keypoint[0].astype(np.float64)
    keypoint = keypoint[is_present(keypoint).all(axis=-1)]
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
