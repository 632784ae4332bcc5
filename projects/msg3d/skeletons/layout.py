"""Data class for skeleton layouts: joints, graph, bones, and body axes."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ..errors import ConfigError

Bones = tuple[tuple[int, int], ...]
Line = tuple[tuple[int, ...], tuple[int, ...]]

# Streams of a network: joints, bones, joint motion, and bone motion.
STREAMS = ("j", "b", "jm", "bm")


@dataclass(frozen=True)
class Skeleton:
    """Skeleton layout.

    Joints are numbered by their position in keypoint arrays.

    Attributes:
        joints: names of the V joints, in the order of the keypoint arrays.
        inward: edges of the graph as (child, parent) pairs that point to the center.
        center: the root joint, to which all edges lead.
        bones: bones of the bone stream as (child, parent) pairs, with each joint once as
            the child. A joint that is its own parent has a bone of zero length. Usually,
            the bones are the edges, and the center is its own parent.
        spine: bottom and top of the trunk, each the mean of one or more joints. None if
            normalization is not supported.
        shoulders: right and left shoulder, each the mean of one or more joints. None if
            normalization is not supported.
    """

    joints: tuple[str, ...]
    inward: Bones
    center: int
    bones: Bones
    spine: Line | None = None
    shoulders: Line | None = None

    @cached_property
    def pairs(self) -> Bones:
        """Symmetric joints as (left, right) pairs, recognized by their names."""
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
    """Return the name of the joint on the other side of the body.

    Joints in the middle are their own counterparts.
    """
    for side, other in (("left_", "right_"), ("right_", "left_")):
        if joint.startswith(side):
            return other + joint.removeprefix(side)
    return joint


def bones_towards(center: int, inward: Bones, num_node: int) -> Bones:
    """Return a tree of bones in which the parent of each joint is one step inward.

    The direction of the edges is ignored. In a cycle, the first edge that leads inward is
    used.

    Args:
        center: the root of the tree, which is its own parent.
        inward: edges of the graph.
        num_node: number of joints, V.

    Returns:
        V pairs (child, parent), sorted by child.

    Raises:
        ConfigError: a joint has no path to the center (kind `layout`).
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
            f"skeleton layout: {len(unreached)} of {num_node} joints have no path to "
            f"center {center}, such as joint {unreached[0]}. Add edges to 'inward', or "
            "specify 'bones' as (child, parent) pairs.",
            kind="layout",
            field="inward",
        )
    return tuple((child, parents[child]) for child in range(num_node))
