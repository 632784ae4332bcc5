"""How long a person is in a unit: by that a wrong unit shows.

Nothing else in coordinates tells metres from millimetres: a model normalises, trains
without an error and then meets other data in another unit.
"""

import math
from collections.abc import Iterable

# What a metre is.
PER_METRE = {"metres": 1.0, "centimetres": 100.0, "millimetres": 1000.0}
# Metres, of the longest side of the box about the joints that are there: from a
# crouching child's upper body to somebody who is stretched, with room for noise.
SHORTEST, LONGEST, USUAL = 0.2, 5.0, 1.5
# A hand is a tenth as long.
HAND = 10


def is_hand(joints: Iterable[str]) -> bool:
    """Whether a layout is that of one hand, by the names of its joints."""
    return "wrist" in joints


def fits(size: float, unit: str, hand: bool = False) -> bool:
    """Whether a person may be so long.

    Args:
        size: the longest side of a person's box.
        unit: of `PER_METRE`.
        hand: whether the joints are one hand's.
    """
    return SHORTEST <= size * (HAND if hand else 1) / PER_METRE[unit] <= LONGEST


def likely_unit(size: float, hand: bool = False) -> str | None:
    """The unit in which a person is most likely so long; None if in none of them.

    Args:
        size, hand: see `fits`.
    """
    return min(
        (unit for unit in PER_METRE if fits(size, unit, hand)),
        key=lambda unit: abs(math.log(size / PER_METRE[unit] / USUAL)),
        default=None,
    )
