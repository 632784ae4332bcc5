"""What the coordinates are, guessed: which layout, which unit, which way is up."""

import numpy as np

from ...skeletons import SKELETONS, Skeleton, graph_layout
from ...skeletons.body_size import LONGEST, SHORTEST, likely_unit
from ...skeletons.units import PER_METER, described_unit
from ..faults import Fault
from .content import NORMALISED
from .measures import Measures, is_there

# Nobody is so short in any unit.
SMALLEST = 1e-3
# Of a picture that is x and y of three coordinates, a person takes more than this;
# metres that were taken for millimetres take less, near the origin.
IN_PICTURE = 0.05

NEEDED = ("shoulder", "ankle", "foot")
# Of 2050 real Kinect sequences none is below -0.22 once most are positive; and 95 of
# 100 are above 0.3, which is what a mirrored one would have the other way round.
CLEAR = 0.3


def fitting_layouts(data, joints: int | None) -> list[str]:
    """Names of the layouts that the file may have, best first.

    The joints' names in `meta` decide, or else the edges there, or else their number.
    """
    meta = data.get("meta") if isinstance(data, dict) else None
    meta = meta if isinstance(meta, dict) else {}
    fitting = {n: one for n, one in SKELETONS.items() if len(one.joints) == joints}
    names, edges = meta.get("joints"), meta.get("inward")
    if isinstance(names, (list, tuple)) and all(isinstance(n, str) for n in names):
        names = [_long(name) for name in names]
        if same := [n for n, one in fitting.items() if list(one.joints) == names]:
            return same
    if isinstance(edges, (list, tuple)):
        edges = {tuple(edge) for edge in edges if isinstance(edge, (list, tuple))}
        return [name for name, one in fitting.items() if set(one.inward) == edges]
    return list(fitting)


def _long(joint: str) -> str:
    """`l_hip` -> `left_hip`, as the converters write it."""
    for short, side in (("l_", "left_"), ("r_", "right_")):
        if joint.startswith(short):
            return side + joint.removeprefix(short)
    return joint


def own_layout(data, joints: int | None) -> dict | None:
    """The layout that `meta` describes, as a config has it; None if it does not."""
    meta = data.get("meta") if isinstance(data, dict) else None
    if not isinstance(meta, dict) or joints is None:
        return None
    try:
        layout = dict(
            num_node=joints,
            inward=[tuple(map(int, edge)) for edge in meta["inward"]],
            center=int(meta["center"]),
        )
        graph_layout(layout)
    except (KeyError, TypeError, ValueError):
        return None
    return layout


def layout_faults(joints: int | None, layout: str | None, sample: str):
    """The file's joints against the layout that somebody named."""
    if layout is None or joints in (None, len(SKELETONS[layout].joints)):
        return
    fitting = [name for name, one in SKELETONS.items() if len(one.joints) == joints]
    known = f"name one of {fitting}" if fitting else "describe your own"
    yield Fault(
        "layout-joints",
        f"keypoint has {joints} joints, but layout {layout!r} has "
        f"{len(SKELETONS[layout].joints)}: {known}, or mend the file",
        sample,
        "keypoint",
    )


def guess_unit(measures: dict[str, Measures], hand: bool = False) -> str:
    """The unit of the coordinates, from how long persons are and where they stand.

    Args:
        measures: id -> numbers.
        hand: whether the joints are one hand's.

    Returns:
        A unit of `skeletons.units`, or "unknown". Of 3D joints, a length if a person
        has a plausible size in it, or `unscaled` where x and y are fractions of the
        image or all coordinates are within -1..1.
    """
    seen = [one for one in measures.values() if one.person_frames]
    if not seen:
        return "unknown"
    size = float(np.median([one.size for one in seen]))
    low, high = (
        np.array([one.low for one in seen]),
        np.array([one.high for one in seen]),
    )
    lowest, highest = np.percentile(low, 5, axis=0), np.percentile(high, 95, axis=0)
    if size < SMALLEST:
        return "unknown"
    # Feet go below the picture; of depth sensors, z has another unit.
    large = len(lowest) == 2 or size > IN_PICTURE
    if large and (lowest[:2] > -0.2).all() and (highest[:2] < [1.2, 1.5]).all():
        return "normalized" if len(lowest) == 2 else "unscaled"
    reach = np.maximum(np.abs(low), np.abs(high)).max(axis=1)
    if size <= NORMALISED and np.median(np.abs(reach - 1)) < 1e-3:
        return "unscaled"
    if len(lowest) == 2:
        return "px" if size > NORMALISED else "unscaled"
    return likely_unit(size, hand) or "unknown"


def unit_faults(data, measures: dict[str, Measures], channels: int | None, unit: str):
    """3D joints in no unit of length, or in another than `meta['units']` says.

    Args:
        data: the annotations.
        measures: id -> numbers.
        channels: C.
        unit: as it was guessed.
    """
    meta = data.get("meta") if isinstance(data, dict) else None
    said = meta.get("units") if isinstance(meta, dict) else None
    sizes = [one.size for one in measures.values() if one.size > 0]
    if channels != 3 or not sizes or unit not in (*PER_METER, "unknown"):
        return
    if said is not None:
        named = described_unit(said)
        if named == unit or named not in PER_METER:
            return
    elif unit in PER_METER:
        return
    size = float(np.median(sizes))
    if unit == "unknown":
        why = (
            f"no unit in which this is a person ({SHORTEST:g} to {LONGEST:g} m): see in "
            "which unit the raw files are, unless coordinates are normalised"
        )
    else:
        why = f"most likely {unit}, but meta['units'] is {said!r}: bring them together"
    yield Fault(
        "person-size",
        f"keypoint has persons of extent {size:.4g}: {why}",
        field="keypoint",
    )


def up_axis(keypoints: dict[str, np.ndarray], layout: Skeleton) -> str | None:
    """The axis from feet to head with its sign, as `+y`; None if it cannot be said."""
    head = next((one for one in ("head", "nose") if one in layout.joints), None)
    feet = [
        number
        for number, one in enumerate(layout.joints)
        if one.endswith(("_ankle", "_foot"))
    ]
    if head is None or not feet:
        return None
    head = layout.joints.index(head)
    ways = []
    for keypoint in keypoints.values():
        there = is_there(keypoint[:, :, [head, *feet]]).all(axis=-1)
        whole = keypoint[there].astype(np.float64)  # [P, V, C]
        if len(whole):
            ways.append((whole[:, head] - whole[:, feet].mean(axis=1)).mean(axis=0))
    if not ways:
        return None
    way = np.median(ways, axis=0)
    axis = int(np.abs(way).argmax())
    return f"{'+' if way[axis] > 0 else '-'}{'xyz'[axis]}"


def mirror_faults(keypoints: dict[str, np.ndarray], layout: Skeleton):
    """Samples whose left and right are exchanged, against the majority."""
    if not has_feet(layout):
        return
    hands = {name: handedness(one, layout) for name, one in keypoints.items()}
    sign = np.sign(np.median(list(hands.values()))) if hands else 0
    for name, value in hands.items():
        if value * sign < -CLEAR:
            yield Fault(
                "mirrored",
                "keypoint has left and right the other way round than most samples "
                "(its feet point backwards): see whether it was mirrored, or its "
                "joints are in another order",
                name,
                "keypoint",
            )


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
