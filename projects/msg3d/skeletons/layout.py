"""Skeleton layout: joints, graph, bones, and body axes."""

from dataclasses import dataclass
from typing import Any

from ..errors import ConfigError

Bones = tuple[tuple[int, int], ...]
Line = tuple[tuple[int, ...], tuple[int, ...]]

# Streams of a network: joints, bones, joint motion, and bone motion.
STREAMS = ("j", "b", "jm", "bm")


@dataclass(frozen=True)
class Skeleton:
    """A skeleton layout. Joints are numbered by their position in keypoint arrays.

    Attributes:
        joints: names of the V joints, in the order of the keypoint arrays.
        inward: edges of the graph as (child, parent), each pointing toward the center.
        center: the root joint, to which all edges lead.
        bones: (child, parent) of the bone stream, with each joint once as the child. A
            joint that is its own parent has no bone (zero). Usually the edges, and the
            center as its own parent.
        spine: (bottom, top), two points along the trunk, each the mean of one or more
            joints. None if normalization is not supported.
        shoulders: (right, left), two points across the body, each the mean of one or
            more joints. None if normalization is not supported.
    """

    joints: tuple[str, ...]
    inward: Bones
    center: int
    bones: Bones
    spine: Line | None = None
    shoulders: Line | None = None

    @property
    def pairs(self) -> Bones:
        """Symmetric joints as (left, right), recognized by their names."""
        return tuple(
            (number, self.joints.index(mirrored(name)))
            for number, name in enumerate(self.joints)
            if name.startswith("left_") and mirrored(name) in self.joints
        )

    def as_graph(self) -> dict[str, Any]:
        """Return the `layout` argument of `mmaction.models.utils.Graph`."""
        return {
            "num_node": len(self.joints),
            "inward": list(self.inward),
            "center": self.center,
        }


def mirrored(joint: str) -> str:
    """Return the name of the joint on the other side; same name for a middle joint."""
    for side, other in (("left_", "right_"), ("right_", "left_")):
        if joint.startswith(side):
            return other + joint.removeprefix(side)
    return joint


def bones_towards(center: int, inward: Bones, num_node: int) -> Bones:
    """Return (child, parent) for every joint, where the parent is one step inward.

    The direction of the edges is ignored. In a cycle, the first edge that leads inward is
    used.

    Args:
        center: the joint that is its own parent.
        inward: the edges.
        num_node: V.

    Returns:
        V pairs, sorted by child.

    Raises:
        ConfigError: a joint has no path to the center (`layout`).
    """
    parents = {center: center}
    frontier = [center]
    while frontier:
        reached = []
        for joint in frontier:
            for a, b in inward:
                for child, parent in ((a, b), (b, a)):
                    if parent == joint and child not in parents:
                        parents[child] = joint
                        reached.append(child)
        frontier = reached
    unreached = [joint for joint in range(num_node) if joint not in parents]
    if unreached:
        raise ConfigError(
            f"skeleton layout: no path leads from joint {unreached[0]} to center {center} "
            f"({len(unreached)} of {num_node} joints): add edges to inward, or specify "
            "bones as (child, parent) pairs",
            kind="layout",
            field="inward",
        )
    return tuple((child, parents[child]) for child in range(num_node))
