"""Plausible sizes of persons, to detect a wrong unit of length.

Coordinates in a wrong unit cause no error during training. However, the trained model
fails on data in another unit.
"""

import math
from collections.abc import Iterable

from .units import PER_METER

# Longest side of the box around the detected joints, in meters: from the upper body of a
# crouching child to an outstretched adult, with a margin for noise.
SHORTEST, LONGEST, USUAL = 0.2, 5.0, 1.5
# A body is ten times as long as a hand.
HAND = 10


def is_hand(joints: Iterable[str]) -> bool:
    """Return True if the joint names are those of a layout of one hand."""
    return "wrist" in joints


def fits(size: float, unit: str, hand: bool = False) -> bool:
    """Return True if a size is plausible for a person.

    Args:
        size: longest side of the person's bounding box.
        unit: unit of the size, a key of `PER_METER`.
        hand: whether the layout is that of a hand.
    """
    return SHORTEST <= size * (HAND if hand else 1) / PER_METER[unit] <= LONGEST


def likely_unit(size: float, hand: bool = False) -> str | None:
    """Return the unit of length in which a size of a person is most plausible.

    Args:
        size, hand: see `fits`.

    Returns:
        A key of `PER_METER`, or None if the size is not plausible in any unit.
    """
    return min(
        (unit for unit in PER_METER if fits(size, unit, hand)),
        key=lambda unit: abs(math.log(size / PER_METER[unit] / USUAL)),
        default=None,
    )
