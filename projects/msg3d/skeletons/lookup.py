"""Look up skeleton layouts by name, or build them from dictionaries or JSON files."""

import copy
from collections.abc import Mapping, MutableMapping, Sequence
from functools import lru_cache
from numbers import Integral
from pathlib import Path
from typing import Any, TypeGuard

from ..errors import ConfigError, DataError
from ..io.json_data import read_json
from .layout import Line, Skeleton, bones_towards
from .tables import SKELETONS

REQUIRED = {"num_node", "inward", "center"}
OPTIONAL = {"joints", "bones", "spine", "shoulders"}
MAX_JOINTS = 10_000
MAX_BYTES = 10_000_000  # of a file

# A name, the path of a `.json` file, a dictionary, or the layout itself.
Layout = str | Mapping[str, Any] | Skeleton


def skeleton(layout: Layout) -> Skeleton:
    """Return the Skeleton for the name of a layout, a dictionary, or a file.

    A dictionary or JSON file has the keys `num_node` (number of joints, V), `inward`
    (edges as (child, parent) pairs), and `center` (the root joint). Optional keys are:

    - `joints`: V names. The prefixes `left_` and `right_` define symmetric pairs.
    - `bones`: (child, parent) pairs, if the bone stream differs from the edges.
    - `spine=(bottom, top)` and `shoulders=(right, left)`: axes for normalization. Each
      end is a joint, or a list of joints for their mean.

    Args:
        layout: a key of `SKELETONS`, the path of a `.json` file, or a dictionary.

    Raises:
        ConfigError: the name or a key is unknown, a key is missing, a joint does not
            exist, or the bones omit a joint (kind `layout`). The file does not exist
            (kind `not-found`), cannot be read (kind `io`), or is not JSON (kind
            `syntax`).

    Example:
        >>> len(skeleton('kinect20').joints)
        20
        >>> skeleton(dict(num_node=3, inward=[(0, 1), (2, 1)], center=1)).bones
        ((0, 1), (1, 1), (2, 1))
    """
    if isinstance(layout, Skeleton):
        return layout
    if isinstance(layout, str):
        if layout in SKELETONS:
            return SKELETONS[layout]
        if layout.endswith(".json"):
            return _from_file(layout)[0]
    elif isinstance(layout, Mapping):
        return _described(layout)
    raise _error(
        f"unknown skeleton layout {layout!r:.80}, expected one of "
        f"{', '.join(sorted(SKELETONS))}, or a .json file or dictionary with 'num_node', "
        "'inward', and 'center'"
    )


def inline_layouts(config: Any) -> None:
    """Replace the paths of layout files in a config with the layouts, in place.

    This makes checkpoints and exported networks independent of the layout files.

    Args:
        config: nested dictionaries, lists, and tuples. Values of the keys `layout`,
            `source`, and `target` are replaced if they end in `.json`.

    Raises:
        ConfigError: see `skeleton`.
    """
    if isinstance(config, (list, tuple)):
        for value in config:
            inline_layouts(value)
    elif isinstance(config, MutableMapping):
        for key, value in list(config.items()):
            if not isinstance(value, str):
                inline_layouts(value)
            elif key in ("layout", "source", "target") and value.endswith(".json"):
                config[key] = copy.deepcopy(_from_file(value)[1])


def graph_layout(layout: Layout) -> dict[str, Any]:
    """Return a layout as a dictionary for MMAction2's Graph.

    Raises:
        ConfigError: see `skeleton`.
    """
    return skeleton(layout).as_graph()


def layout_meta(layout: Layout) -> dict[str, Any]:
    """Return the description of a layout for the `meta` of an annotation file.

    Returns:
        Dictionary with `joints` (names, abbreviated like `l_hip` for left_hip), `inward`
        (edges as (child, parent) pairs), and `center`.
    """
    body = skeleton(layout)
    return {
        "joints": [
            joint.replace("left_", "l_").replace("right_", "r_")
            for joint in body.joints
        ],
        "inward": list(body.inward),
        "center": body.center,
    }


def _error(message: str, field: str | None = None) -> ConfigError:
    return ConfigError(message, kind="layout", field=field)


def _from_file(path: str) -> tuple[Skeleton, dict[str, Any]]:
    """Return the layout of a JSON file, and the content of the file."""
    try:
        status = Path(path).stat()
        return _read(Path(path).absolute(), status.st_mtime_ns, status.st_size)
    except OSError as error:
        missing = isinstance(error, FileNotFoundError)
        raise ConfigError(
            "the skeleton layout file "
            + ("does not exist" if missing else f"cannot be read ({error.strerror})"),
            kind="not-found" if missing else "io",
            file=path,
            field="layout",
        ) from error
    except (ConfigError, DataError) as error:
        raise ConfigError(
            error.message,
            kind=error.kind,
            file=path,
            line=error.where.line,
            field=error.where.field,
        ) from error


@lru_cache
def _read(path: Path, mtime: int, size: int) -> tuple[Skeleton, dict[str, Any]]:
    if size > MAX_BYTES:
        raise ConfigError(
            f"the skeleton layout file has {size} bytes, expected at most {MAX_BYTES}",
            kind="too-large",
        )
    content = read_json(path.read_bytes())
    if not isinstance(content, dict):
        raise _error(
            f"the skeleton layout is of type {type(content).__name__}, expected an object "
            "with 'num_node', 'inward', and 'center'"
        )
    return _described(content), content


def _described(layout: Mapping[str, Any]) -> Skeleton:
    """Check the dictionary of a layout, and return it as a Skeleton."""
    # MMEngine keeps `_delete_` in a dictionary that replaces an inherited layout.
    keys = set(layout) - {"_delete_"}
    missing, unknown = REQUIRED - keys, keys - REQUIRED - OPTIONAL
    if missing:
        raise _error(
            f"skeleton layout {dict(layout)} has no {', '.join(sorted(missing))}. Specify "
            "num_node, inward as (child, parent) pairs, and center.",
            sorted(missing)[0],
        )
    if unknown:
        raise _error(
            f"skeleton layout has unknown keys ({', '.join(sorted(map(repr, unknown)))}), "
            f"expected {', '.join(sorted(REQUIRED))} and optionally "
            f"{', '.join(sorted(OPTIONAL))}",
            str(sorted(unknown)[0]),
        )
    num_node = layout["num_node"]
    if not _is_integer(num_node) or not 1 <= num_node <= MAX_JOINTS:
        raise _error(
            f"skeleton layout: 'num_node' is {num_node!r:.40}, expected an integer from 1 "
            f"to {MAX_JOINTS}",
            "num_node",
        )
    for key in ("joints", "inward", "bones", "spine", "shoulders"):
        if not isinstance(layout.get(key), (list, tuple, type(None))):
            raise _error(
                f"skeleton layout: {key!r} is {layout[key]!r:.40}, expected a list", key
            )
    if not all(isinstance(name, str) for name in layout.get("joints") or ()):
        raise _error("skeleton layout: 'joints' must be a list of names", "joints")
    names = tuple(layout.get("joints") or (f"joint_{j}" for j in range(num_node)))
    if len(names) != num_node or len(set(names)) != num_node:
        raise _error(
            f"skeleton layout: 'joints' has {len(set(names))} different names, but "
            f"'num_node' is {num_node}. Give each joint a different name.",
            "joints",
        )
    center = _joint(layout["center"], num_node, "center")
    inward = _pairs(layout["inward"], num_node, "inward")
    if layout.get("bones") is None:
        bones = bones_towards(center, inward, num_node)
    else:
        bones = tuple(sorted(_pairs(layout["bones"], num_node, "bones")))
        if [child for child, _ in bones] != list(range(num_node)):
            raise _error(
                f"skeleton layout: 'bones' is {list(bones)}, expected (child, parent) "
                f"pairs with each of the {num_node} joints once as the child, and the "
                "root as its own parent",
                "bones",
            )
    spine = _line(layout.get("spine"), num_node, "spine")
    shoulders = _line(layout.get("shoulders"), num_node, "shoulders")
    return Skeleton(names, inward, center, bones, spine, shoulders)


def _is_integer(value: Any) -> TypeGuard[int]:
    return isinstance(value, Integral)  # includes NumPy integers


def _joint(joint: Any, num_node: int, field: str) -> int:
    if not _is_integer(joint) or not 0 <= joint < num_node:
        raise _error(
            f"skeleton layout: {field!r} contains joint {joint!r}, expected an integer "
            f"from 0 to {num_node - 1}, since 'num_node' is {num_node}",
            field,
        )
    return joint


def _pairs(
    pairs: Sequence[Any] | None, num_node: int, field: str
) -> tuple[tuple[int, int], ...]:
    for pair in pairs or ():
        if not isinstance(pair, (list, tuple)) or len(pair) != 2:
            raise _error(
                f"skeleton layout: {field!r} contains {pair}, expected (child, parent) "
                "pairs",
                field,
            )
    return tuple(
        (_joint(child, num_node, field), _joint(parent, num_node, field))
        for child, parent in pairs or ()
    )


def _line(ends: Sequence[Any] | None, num_node: int, field: str) -> Line | None:
    if ends is None:
        return None
    points = [_point(end, num_node, field) for end in ends]
    if len(points) != 2:
        raise _error(
            f"skeleton layout: {field!r} has {len(points)} ends, expected two. Each end "
            "is a joint, or a list of joints.",
            field,
        )
    return points[0], points[1]


def _point(end: int | list[int], num_node: int, field: str) -> tuple[int, ...]:
    joints = tuple(end) if isinstance(end, (list, tuple)) else (end,)
    return tuple(_joint(joint, num_node, field) for joint in joints)
