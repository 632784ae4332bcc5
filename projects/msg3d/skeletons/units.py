"""Units of coordinates in files, options, and metadata.

| name | coordinates |
|---|---|
| `m`, `cm`, `mm` | 3D, lengths |
| `unscaled` | 3D, in an unknown unit; never converted |
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

# Larger coordinates cannot be fractions of the image, even for joints outside of it.
MAX_NORMALIZED = 2.0

# Other accepted spellings, some of which earlier versions wrote.
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
    """Return the standard name of a unit.

    Args:
        text: name of the unit, or another spelling such as `millimeters`.

    Returns:
        One of `UNITS`.

    Raises:
        ConfigError: the unit is unknown (kind `unit`).

    Example:
        >>> unit_name("meters")
        'm'
    """
    if text not in _NAMES:
        raise ConfigError(
            f"unit is {text!r}, expected one of {', '.join(UNITS)}", kind="unit"
        )
    return _NAMES[text]


def described_unit(text: Any) -> str | None:
    """Return the first unit in a description such as `meta['units']`.

    Returns:
        One of `UNITS`, or None if the description is not text or contains no unit.

    Example:
        >>> described_unit("meters, y up")
        'm'
    """
    words = re.findall("[a-z]+", text.lower()) if isinstance(text, str) else []
    return next((_NAMES[word] for word in words if word in _NAMES), None)


def check_unit(unit: str, dimensions: int) -> None:
    """Check that a unit is valid for 2D or 3D coordinates.

    Raises:
        DataError: the unit is not valid for the number of dimensions (kind `unit`).
    """
    units = UNITS_2D if dimensions == 2 else UNITS_3D
    if unit not in units:
        raise DataError(
            f"unit is {unit!r}, expected one of {', '.join(units)} for {dimensions}D "
            "keypoints",
            kind="unit",
        )


def check_image_unit(largest: float, unit: str) -> None:
    """Check that 2D coordinates are plausible in a unit.

    Args:
        largest: the largest absolute coordinate; 0 if there are no coordinates.
        unit: `px` or `normalized`.

    Raises:
        DataError: the unit is a 3D unit, or the coordinates are not plausible in it
            (kind `unit`).
    """
    check_unit(unit, 2)
    if unit == "normalized" and largest > MAX_NORMALIZED:
        raise DataError(
            f"the largest coordinate is {largest:g}, but normalized coordinates are "
            "fractions of the image, 0..1. If coordinates are pixels, set the unit to px "
            "(--unit px).",
            kind="unit",
        )
    if unit == "px" and 0 < largest <= MAX_NORMALIZED:
        raise DataError(
            f"the largest coordinate is {largest:g}, expected pixels. If coordinates are "
            "fractions of the image, set the unit to normalized (--unit normalized).",
            kind="unit",
        )


def to_standard_unit(
    keypoint: np.ndarray, unit: str, img_shape: tuple[int, int] | None = None
) -> tuple[np.ndarray, str]:
    """Convert coordinates to meters or pixels.

    Coordinates remain unchanged if their unit is `unscaled`, or if it is `normalized` and
    the size of the image is unknown.

    Args:
        keypoint: floating-point [..., C].
        unit: unit of `keypoint`.
        img_shape: (height, width) of the image, for normalized coordinates.

    Returns:
        The converted array (`keypoint` itself if unchanged), and its unit.
    """
    if unit in PER_METER:
        return keypoint / np.array(PER_METER[unit], keypoint.dtype), "m"
    if unit == "normalized" and img_shape is not None:
        height, width = img_shape
        return keypoint * np.array([width, height], keypoint.dtype), "px"
    return keypoint, unit
