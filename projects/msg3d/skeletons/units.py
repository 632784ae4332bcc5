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

import numpy as np

from ..errors import ConfigError, DataError

__all__ = [
    "MAX_NORMALIZED",
    "PER_METER",
    "UNITS",
    "UNITS_2D",
    "UNITS_3D",
    "check_image_unit",
    "check_unit",
    "described_unit",
    "to_standard_unit",
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


def check_unit(unit: str, dimensions: int) -> None:
    """Check that a unit is one of 2D or 3D coordinates.

    Raises:
        DataError: it is one of the other (`unit`).
    """
    units = UNITS_2D if dimensions == 2 else UNITS_3D
    if unit not in units:
        raise DataError(
            f"unit is {unit!r}, but the keypoints are {dimensions}D: expected one of "
            f"{list(units)}",
            kind="unit",
        )


def check_image_unit(largest: float, unit: str) -> None:
    """Check that 2D coordinates can be in a unit.

    Args:
        largest: the largest absolute coordinate; 0 if there is none.
        unit: expected to be `px` or `normalized`.

    Raises:
        DataError: the unit is one of 3D, or the coordinates are in the other (`unit`).
    """
    check_unit(unit, 2)
    if unit == "normalized" and largest > MAX_NORMALIZED:
        raise DataError(
            f"a coordinate is {largest:g}, but normalized coordinates are fractions of "
            "the image, 0..1. Use the unit px (--unit px)",
            kind="unit",
        )
    if unit == "px" and 0 < largest <= MAX_NORMALIZED:
        raise DataError(
            f"the largest coordinate is {largest:g}, expected pixels. Use the unit "
            "normalized (--unit normalized) if coordinates are fractions of the image",
            kind="unit",
        )


def to_standard_unit(
    keypoint: np.ndarray, unit: str, img_shape: tuple[int, int] | None = None
) -> tuple[np.ndarray, str]:
    """Convert coordinates to meters or pixels.

    Coordinates that are `unscaled`, and normalized ones of an image of unknown size,
    stay as they are.

    Args:
        keypoint: floating-point [..., C].
        unit: of the coordinates.
        img_shape: (height, width) of the image, for normalized coordinates.

    Returns:
        A new array or `keypoint`, and its unit.
    """
    if unit in PER_METER:
        return keypoint / np.array(PER_METER[unit], keypoint.dtype), "m"
    if unit == "normalized" and img_shape is not None:
        height, width = img_shape
        return keypoint * np.array([width, height], keypoint.dtype), "px"
    return keypoint, unit
