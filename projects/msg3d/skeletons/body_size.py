"""Size of a person, from which a wrong unit of length is recognized.

Nothing else in coordinates tells meters from millimeters: a model normalizes them,
trains without an error, and then meets other data in another unit.
"""

import math
from collections.abc import Iterable

from .units import PER_METER

# Meters, of the longest side of the box around the detected joints: from the upper body
# of a crouching child to an outstretched adult, with a margin for noise.
SHORTEST, LONGEST, USUAL = 0.2, 5.0, 1.5
# A hand is a tenth as long.
HAND = 10


def is_hand(joints: Iterable[str]) -> bool:
    """Return whether a layout is that of one hand, from the names of its joints."""
    return "wrist" in joints


def fits(size: float, unit: str, hand: bool = False) -> bool:
    """Return whether a person can be this long.

    Args:
        size: longest side of a person's box.
        unit: a key of `PER_METER`.
        hand: whether the joints are those of one hand.
    """
    return SHORTEST <= size * (HAND if hand else 1) / PER_METER[unit] <= LONGEST


def likely_unit(size: float, hand: bool = False) -> str | None:
    """Return the unit in which a person of this size is most likely; None if none fits.

    Args:
        size, hand: see `fits`.
    """
    return min(
        (unit for unit in PER_METER if fits(size, unit, hand)),
        key=lambda unit: abs(math.log(size / PER_METER[unit] / USUAL)),
        default=None,
    )
