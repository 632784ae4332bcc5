"""The skeleton layouts: which joints there are, and which bones join them.

A layout is what a `graph_cfg=dict(layout=...)` names. MMAction2 knows three names
and takes any other graph as a dictionary; here each has a name, its joints in
order and its bones, so that a file, a graph and an error can speak of the same
joint.
"""

from dataclasses import dataclass
from typing import Dict, List, Tuple, Union


@dataclass(frozen=True)
class Skeleton:
    """One layout.

    Attributes:
        joints: names of the V joints, in the order of the keypoint arrays.
        inward: bones as (child, parent), each pointing at the centre.
        center: the joint that all bones lead to.
    """

    joints: Tuple[str, ...]
    inward: Tuple[Tuple[int, int], ...]
    center: int

    def as_graph(self) -> Dict:
        """The dictionary that `mmaction.models.utils.Graph` takes as `layout`."""
        return dict(
            num_node=len(self.joints), inward=list(self.inward), center=self.center
        )


def _sided(*parts: str) -> Tuple[str, ...]:
    """`('hip', 'knee')` -> `('left_hip', 'left_knee', 'right_hip', 'right_knee')`."""
    return tuple(f"{side}_{part}" for side in ("left", "right") for part in parts)


_COCO = Skeleton(
    joints=(
        "nose",
        *("left_eye", "right_eye", "left_ear", "right_ear"),
        *("left_shoulder", "right_shoulder", "left_elbow", "right_elbow"),
        *("left_wrist", "right_wrist", "left_hip", "right_hip"),
        *("left_knee", "right_knee", "left_ankle", "right_ankle"),
    ),
    inward=(
        *((15, 13), (13, 11), (16, 14), (14, 12), (11, 5), (12, 6), (9, 7), (7, 5)),
        *((10, 8), (8, 6), (5, 0), (6, 0), (1, 0), (3, 1), (2, 0), (4, 2)),
    ),
    center=0,
)

_OPENPOSE = Skeleton(
    joints=(
        *("nose", "neck", "right_shoulder", "right_elbow", "right_wrist"),
        *("left_shoulder", "left_elbow", "left_wrist"),
        *("right_hip", "right_knee", "right_ankle"),
        *("left_hip", "left_knee", "left_ankle"),
        *("right_eye", "left_eye", "right_ear", "left_ear"),
    ),
    inward=(
        *((4, 3), (3, 2), (7, 6), (6, 5), (13, 12), (12, 11), (10, 9), (9, 8)),
        *((11, 5), (8, 2), (5, 1), (2, 1), (0, 1), (15, 0), (14, 0), (17, 15)),
        (16, 14),
    ),
    center=1,
)

# Kinect v2. The hands hang on joints 7 and 11 as in MMAction2's graph, which
# differs there from the authors' own.
_NTU = Skeleton(
    joints=(
        *("spine_base", "spine_mid", "neck", "head"),
        *_sided("shoulder", "elbow", "wrist", "hand"),
        *_sided("hip", "knee", "ankle", "foot"),
        "spine_shoulder",
        *("left_hand_tip", "left_thumb", "right_hand_tip", "right_thumb"),
    ),
    inward=(
        *((0, 1), (1, 20), (2, 20), (3, 2), (4, 20), (5, 4), (6, 5), (7, 6)),
        *((8, 20), (9, 8), (10, 9), (11, 10), (12, 0), (13, 12), (14, 13), (15, 14)),
        *((16, 0), (17, 16), (18, 17), (19, 18)),
        *((21, 7), (22, 7), (23, 11), (24, 11)),
    ),
    center=20,
)

_KINECT20 = Skeleton(
    joints=(
        *("hip_center", "spine", "shoulder_center", "head"),
        *_sided("shoulder", "elbow", "wrist", "hand"),
        *_sided("hip", "knee", "ankle", "foot"),
    ),
    inward=(
        *((0, 1), (1, 2), (3, 2), (4, 2), (5, 4), (6, 5), (7, 6)),
        *((8, 2), (9, 8), (10, 9), (11, 10), (12, 0), (13, 12), (14, 13), (15, 14)),
        *((16, 0), (17, 16), (18, 17), (19, 18)),
    ),
    center=2,
)

SKELETONS: Dict[str, Skeleton] = {
    "coco": _COCO,
    "openpose": _OPENPOSE,
    "nturgb+d": _NTU,
    "kinect20": _KINECT20,
}


def skeleton(name: str) -> Skeleton:
    """The layout of this name.

    Raises:
        ValueError: no such layout; the message lists those there are.

    Example:
        >>> len(skeleton('kinect20').joints)
        20
    """
    if name not in SKELETONS:
        raise ValueError(
            f"unknown skeleton layout {name!r}: name one of {sorted(SKELETONS)}, or "
            "give a dict(num_node=..., inward=[(child, parent), ...], center=...)"
        )
    return SKELETONS[name]


def graph_layout(layout: Union[str, Dict]) -> Dict:
    """A layout by name or dictionary, as the dictionary MMAction2's Graph takes.

    Raises:
        ValueError: unknown name, missing key, or a bone to a joint that is not there.
    """
    if isinstance(layout, str):
        return skeleton(layout).as_graph()
    missing = {"num_node", "inward", "center"} - set(layout)
    if missing:
        raise ValueError(
            f"skeleton layout {dict(layout)} lacks {sorted(missing)}: give num_node, "
            "inward as (child, parent) pairs, and center"
        )
    num_node = layout["num_node"]
    inward: List[Tuple[int, int]] = [tuple(bone) for bone in layout["inward"]]
    for joint in [j for bone in inward for j in bone] + [layout["center"]]:
        if not 0 <= joint < num_node:
            raise ValueError(
                f"skeleton layout names joint {joint}, but num_node is {num_node}: "
                f"joints count from 0 to {num_node - 1}"
            )
    return dict(num_node=num_node, inward=inward, center=layout["center"])
