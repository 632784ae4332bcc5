"""What a skeleton layout says: the joints, and how graph, bones and view use them."""

from dataclasses import dataclass
from typing import Dict, Optional, Tuple

Bones = Tuple[Tuple[int, int], ...]
Line = Tuple[Tuple[int, ...], Tuple[int, ...]]


# What a network may see of a skeleton: joints, bones, and the motions of either.
STREAMS = ("j", "b", "jm", "bm")


@dataclass(frozen=True)
class Skeleton:
    """One layout. A joint is its number, its place in the keypoint arrays.

    Attributes:
        joints: names of the V joints, in the order of the keypoint arrays.
        inward: edges of the graph as (child, parent), each pointing at the centre.
        center: the joint that all edges lead to.
        bones: (child, parent) of the bone stream, each joint once as the child; a
            joint with itself has no bone (zero). Mostly the edges and the centre.
        spine: (bottom, top), two points along the trunk; each is the mean of the
            joints given. None where normalisation has no such line.
        shoulders: (right, left), two points across the body, likewise.
    """

    joints: Tuple[str, ...]
    inward: Bones
    center: int
    bones: Bones
    spine: Optional[Line] = None
    shoulders: Optional[Line] = None

    @property
    def pairs(self) -> Bones:
        """The symmetric joints as (left, right), told by their names."""
        return tuple(
            (number, self.joints.index(mirrored(name)))
            for number, name in enumerate(self.joints)
            if name.startswith("left_") and mirrored(name) in self.joints
        )

    def as_graph(self) -> Dict:
        """The dictionary that `mmaction.models.utils.Graph` takes as `layout`."""
        return dict(
            num_node=len(self.joints), inward=list(self.inward), center=self.center
        )


def mirrored(joint: str) -> str:
    """The name of the joint on the other side, or the same for one in the middle."""
    for side, other in (("left_", "right_"), ("right_", "left_")):
        if joint.startswith(side):
            return other + joint.removeprefix(side)
    return joint


def bones_towards(center: int, inward: Bones, num_node: int) -> Bones:
    """(child, parent) for every joint: the parent is the next joint on the way in.

    Edges count in both directions, so it does not matter how they were written down;
    in a ring the first edge that leads inward counts.

    Args:
        center: the joint that comes with itself.
        inward: the edges.
        num_node: V.

    Returns:
        V pairs, the children in order.

    Raises:
        ValueError: a joint has no path to the centre.
    """
    parents = {center: center}
    border = [center]
    while border:
        reached = []
        for joint in border:
            for a, b in inward:
                for child, parent in ((a, b), (b, a)):
                    if parent == joint and child not in parents:
                        parents[child] = joint
                        reached.append(child)
        border = reached
    lost = [joint for joint in range(num_node) if joint not in parents]
    if lost:
        raise ValueError(
            f"skeleton layout: no edges lead from joint {lost[0]} to center {center} "
            f"({len(lost)} of {num_node} joints): add the edges to inward, or give "
            "bones as (child, parent) pairs"
        )
    return tuple((child, parents[child]) for child in range(num_node))
