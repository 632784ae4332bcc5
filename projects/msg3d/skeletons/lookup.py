"""A layout by name, or from the dictionary of a config."""

from collections.abc import Mapping
from numbers import Integral
from typing import Any, Dict, List, Tuple, Union

from .layout import Skeleton, bones_towards
from .tables import SKELETONS

REQUIRED = {"num_node", "inward", "center"}
OPTIONAL = {"joints", "bones", "spine", "shoulders"}


def skeleton(layout: Union[str, Dict]) -> Skeleton:
    """The layout of this name, or the one that this dictionary describes.

    Args:
        layout: a name of `SKELETONS`, or `dict(num_node=, inward=, center=)` with
            V, the edges as (child, parent) and the joint they lead to. It may
            also hold `joints` (V names; those that begin with `left_` and `right_`
            make the symmetric pairs), `bones` where the bone stream is to differ
            from the edges, and for normalisation `spine=(bottom, top)` and
            `shoulders=(right, left)`, each end a joint or several (their mean).

    Raises:
        ValueError: unknown name or key, missing key, a joint that is not there, or
            bones that leave a joint out; the message says what was expected.

    Example:
        >>> len(skeleton('kinect20').joints)
        20
        >>> skeleton(dict(num_node=3, inward=[(0, 1), (2, 1)], center=1)).bones
        ((0, 1), (1, 1), (2, 1))
    """
    if isinstance(layout, str):
        if layout in SKELETONS:
            return SKELETONS[layout]
    elif isinstance(layout, Mapping):
        return _described(layout)
    raise ValueError(
        f"unknown skeleton layout {layout!r}: name one of {sorted(SKELETONS)}, or give "
        "a dict(num_node=..., inward=[(child, parent), ...], center=...)"
    )


def graph_layout(layout: Union[str, Dict]) -> Dict:
    """A layout by name or dictionary, as the dictionary MMAction2's Graph takes.

    Raises:
        ValueError: as `skeleton` does.
    """
    return skeleton(layout).as_graph()


def layout_meta(name: str) -> Dict:
    """Describe the joints of a named layout for the `meta` of an annotation file.

    Returns:
        `joints` (names, `l_hip` for left_hip), `inward` as (child, parent), and
        `center`.
    """
    layout = skeleton(name)
    return dict(
        joints=[
            joint.replace("left_", "l_").replace("right_", "r_")
            for joint in layout.joints
        ],
        inward=list(layout.inward),
        center=layout.center,
    )


def _described(layout: Dict) -> Skeleton:
    """A dictionary as a Skeleton, every number of a joint checked."""
    # A config that replaces an inherited layout leaves MMEngine's key in lists.
    keys = set(layout) - {"_delete_"}
    missing, unknown = REQUIRED - keys, keys - REQUIRED - OPTIONAL
    if missing:
        raise ValueError(
            f"skeleton layout {dict(layout)} lacks {sorted(missing)}: give num_node, "
            "inward as (child, parent) pairs, and center"
        )
    if unknown:
        raise ValueError(
            f"skeleton layout has the unknown keys {sorted(unknown)}: expected "
            f"{sorted(REQUIRED)}, and {sorted(OPTIONAL)} where wanted"
        )
    num_node = layout["num_node"]
    if not isinstance(num_node, Integral) or num_node < 1:
        raise ValueError(
            f"skeleton layout: num_node is {num_node!r}, expected a number of joints"
        )
    names = tuple(layout.get("joints") or (f"joint_{j}" for j in range(num_node)))
    if len(names) != num_node or len(set(names)) != num_node:
        raise ValueError(
            f"skeleton layout: joints holds {len(set(names))} different names, but "
            f"num_node is {num_node}: name each joint once"
        )
    center = _joint(layout["center"], num_node)
    inward = _pairs(layout["inward"], num_node)
    if layout.get("bones") is None:
        bones = bones_towards(center, inward, num_node)
    else:
        bones = tuple(sorted(_pairs(layout["bones"], num_node)))
        if [child for child, _ in bones] != list(range(num_node)):
            raise ValueError(
                "skeleton layout: bones are (child, parent) pairs with each of the "
                f"{num_node} joints once as the child, the root with itself; got "
                f"{list(bones)}"
            )
    lines = {
        key: tuple(_point(end, num_node) for end in layout[key])
        for key in ("spine", "shoulders")
        if layout.get(key) is not None
    }
    for key, line in lines.items():
        if len(line) != 2:
            raise ValueError(
                f"skeleton layout: {key} has {len(line)} ends, expected two, each a "
                "joint or several"
            )
    return Skeleton(names, inward, center, bones, **lines)


def _joint(joint: Any, num_node: int) -> int:
    if not isinstance(joint, Integral) or not 0 <= joint < num_node:
        raise ValueError(
            f"skeleton layout names joint {joint!r}, but num_node is {num_node}: "
            f"joints count from 0 to {num_node - 1}"
        )
    return joint


def _pairs(pairs: List, num_node: int) -> Tuple[Tuple[int, int], ...]:
    for pair in pairs:
        if not isinstance(pair, (list, tuple)) or len(pair) != 2:
            raise ValueError(f"skeleton layout: {pair} is not a (child, parent) pair")
    return tuple((_joint(a, num_node), _joint(b, num_node)) for a, b in pairs)


def _point(end: Union[int, List[int]], num_node: int) -> Tuple[int, ...]:
    joints = tuple(end) if isinstance(end, (list, tuple)) else (end,)
    return tuple(_joint(joint, num_node) for joint in joints)
