"""Plausible sizes of persons, to detect a wrong unit of length.

Coordinates in a wrong unit cause no error: a model normalizes them and trains, but then
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
    """Return True if these are the names of the joints of one hand."""
    return "wrist" in joints


def fits(size: float, unit: str, hand: bool = False) -> bool:
    """Return True if the size is plausible for a person.

    Args:
        size: longest side of a person's box.
        unit: a key of `PER_METER`.
        hand: whether the layout is a hand.
    """
    return SHORTEST <= size * (HAND if hand else 1) / PER_METER[unit] <= LONGEST


def likely_unit(size: float, hand: bool = False) -> str | None:
    """Return the unit in which this size is most plausible, or None.

    Args:
        size, hand: see `fits`.
    """
    return min(
        (unit for unit in PER_METER if fits(size, unit, hand)),
        key=lambda unit: abs(math.log(size / PER_METER[unit] / USUAL)),
        default=None,
    )
