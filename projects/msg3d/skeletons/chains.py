"""Build a Skeleton from chains of joint names.

Chains of names are easier to read than pairs of numbers. In a chain, each joint is the
child of the next. `*` stands for both left and right.
"""

import itertools

from .layout import Bones, Line, Skeleton, bones_towards

Ends = tuple[str, str]

SHOULDERS = ("right_shoulder", "left_shoulder")


def _both_sides(text: str) -> tuple[str, ...]:
    """Expand `'*_hip head'` to `('left_hip head', 'right_hip head')`."""
    if "*" not in text:
        return (text,)
    return text.replace("*", "left"), text.replace("*", "right")


def sided(text: str) -> str:
    """Expand `'*_hip *_knee'` to `'left_hip left_knee right_hip right_knee'`."""
    return " ".join(_both_sides(text))


def alternating(text: str) -> str:
    """Expand `'*_hip *_knee'` to `'left_hip right_hip left_knee right_knee'`."""
    return " ".join(name for joint in text.split() for name in _both_sides(joint))


def layout_of(
    joints: str,
    chains: tuple[str, ...],
    spine: Ends | None,
    shoulders: Ends | None = SHOULDERS,
    bones: tuple[str, ...] = (),
) -> Skeleton:
    """Return the Skeleton with the given joint names and chains.

    Args:
        joints: names of the joints, in the order of the keypoint arrays.
        chains: chains of edges, where each joint is the child of the next. The first
            chain ends in the center.
        spine: joints at the bottom and at the top, or None. Several names stand for their
            mean.
        shoulders: right and left shoulder, or None. Several names stand for their mean.
        bones: bones that differ from the edges, as `'child parent'`.
    """
    names = tuple(joints.split())
    number = {name: joint for joint, name in enumerate(names)}

    def edges(texts: tuple[str, ...]) -> Bones:
        paths = [side.split() for text in texts for side in _both_sides(text)]
        pairs = {
            (number[child], number[parent])
            for path in paths
            for child, parent in itertools.pairwise(path)
        }
        return tuple(sorted(pairs))

    def numbers(text: str) -> tuple[int, ...]:
        return tuple(number[name] for name in text.split())

    def line(ends: Ends | None) -> Line | None:
        if ends is None:
            return None
        start, end = ends
        return numbers(start), numbers(end)

    inward = edges(chains)
    center = number[_both_sides(chains[0])[0].split()[-1]]
    parents = dict(bones_towards(center, inward, len(names)))
    parents.update(edges(bones))
    return Skeleton(
        joints=names,
        inward=inward,
        center=center,
        bones=tuple(sorted(parents.items())),
        spine=line(spine),
        shoulders=line(shoulders),
    )
