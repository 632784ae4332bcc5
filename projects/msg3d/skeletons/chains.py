"""From names of joints, as a person writes them down, to a Skeleton.

An edge list by numbers cannot be read, so tables write chains of names, each name the
child of the next. `*` stands for left and right: both sides are written once.
"""

import itertools

from .layout import Bones, Line, Skeleton, bones_towards

Ends = tuple[str, str]

SHOULDERS = ("right_shoulder", "left_shoulder")


def _both_sides(text: str) -> tuple[str, ...]:
    """`'*_hip head'` -> `('left_hip head', 'right_hip head')`."""
    if "*" not in text:
        return (text,)
    return text.replace("*", "left"), text.replace("*", "right")


def sided(text: str) -> str:
    """`'*_hip *_knee'` -> `'left_hip left_knee right_hip right_knee'`."""
    return " ".join(_both_sides(text))


def alternating(text: str) -> str:
    """`'*_hip *_knee'` -> `'left_hip right_hip left_knee right_knee'`."""
    return " ".join(name for joint in text.split() for name in _both_sides(joint))


def layout_of(
    joints: str,
    chains: tuple[str, ...],
    spine: Ends,
    shoulders: Ends = SHOULDERS,
    bones: tuple[str, ...] = (),
) -> Skeleton:
    """A table as a Skeleton; all names are looked up, all chains end in the centre.

    Args:
        joints: names in order.
        chains: edges, each name the child of the next; the first ends in the centre.
        spine: names of (bottom, top); of several joints the mean.
        shoulders: names of (right, left), likewise.
        bones: `'child parent'` where the bone stream differs from the edges.
    """
    names = tuple(joints.split())
    number = {name: place for place, name in enumerate(names)}

    def edges(texts: tuple[str, ...]) -> Bones:
        paths = [side.split() for text in texts for side in _both_sides(text)]
        found = {
            (number[child], number[parent])
            for path in paths
            for child, parent in itertools.pairwise(path)
        }
        return tuple(sorted(found))

    def numbers(text: str) -> tuple[int, ...]:
        return tuple(number[name] for name in text.split())

    def line(ends: Ends) -> Line:
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
