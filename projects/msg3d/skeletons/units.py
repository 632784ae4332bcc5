"""Units of coordinates: one vocabulary for files, options, and metadata.

| name | coordinates |
|---|---|
| `m`, `cm`, `mm` | 3D, lengths |
| `unscaled` | 3D, in no known unit: used as they are |
| `px` | 2D, pixels |
| `normalized` | 2D, fractions of the image, 0..1 |
"""

import re
from typing import Any

from ..errors import ConfigError

__all__ = [
    "MAX_NORMALIZED",
    "PER_METER",
    "UNITS",
    "UNITS_2D",
    "UNITS_3D",
    "described_unit",
    "unit_name",
]

# Divide coordinates by this to convert them to meters.
PER_METER = {"m": 1.0, "cm": 100.0, "mm": 1000.0}
UNITS_3D = (*PER_METER, "unscaled")
UNITS_2D = ("px", "normalized")
UNITS = (*UNITS_3D, *UNITS_2D)

# Larger coordinates cannot be fractions of the image, even of joints outside of it.
MAX_NORMALIZED = 2.0

# Spellings that earlier versions used, and that people type.
_ALIASES = {
    "m": ("meter", "meters", "metre", "metres"),
    "cm": ("centimeter", "centimeters", "centimetre", "centimetres"),
    "mm": ("millimeter", "millimeters", "millimetre", "millimetres"),
    "px": ("pixel", "pixels"),
    "normalized": ("normalised",),
}
_NAMES = {name: name for name in UNITS} | {
    alias: name for name, aliases in _ALIASES.items() for alias in aliases
}


def unit_name(text: str) -> str:
    """Return the name of a unit in the vocabulary above.

    Args:
        text: a name, or another spelling such as `millimetres`.

    Raises:
        ConfigError: the unit is unknown (`unit`).

    Example:
        >>> unit_name("metres")
        'm'
    """
    if text not in _NAMES:
        raise ConfigError(
            f"unit is {text!r}, expected one of {list(UNITS)}", kind="unit"
        )
    return _NAMES[text]


def described_unit(text: Any) -> str | None:
    """Return the first unit that a description such as `meta['units']` names.

    Example:
        >>> described_unit("metres, y up")
        'm'
    """
    words = re.findall("[a-z]+", text.lower()) if isinstance(text, str) else []
    return next((_NAMES[word] for word in words if word in _NAMES), None)
