"""Which axis of a keypoint array is which, guessed where it is not [M, T, V, C].

The forms that are met: [M, C, T, V] and [C, T, V, M] of ST-GCN and its followers,
[T, M, V, C] of pose estimators' results frame by frame, [M, V, T, C].
"""

from dataclasses import dataclass
from itertools import permutations

NAMES = "MTVC"
# More persons, or fewer joints, are a guess that is not made.
MOST_PERSONS, FEWEST_JOINTS = 10, 5


@dataclass(frozen=True)
class Axes:
    """An order of axes.

    Attributes:
        order: for each of M, T, V and C, which axis of the array it is.
    """

    order: tuple[int, int, int, int]

    @property
    def found(self) -> str:
        """As the array has them: `[T, M, V, C]`."""
        names = sorted(NAMES, key=lambda name: self.order[NAMES.index(name)])
        return f"[{', '.join(names)}]"

    @property
    def mend(self) -> str:
        """What makes it [M, T, V, C]: `transpose(1, 0, 2, 3)`."""
        return f"transpose{self.order}"


def guess_axes(
    shape: tuple[int, int, int, int], frames: int, joints: int | None = None
) -> Axes | None:
    """The order that an array of another order has, None if it cannot be said.

    Args:
        shape: of the array.
        frames: how many the sample says it has.
        joints: how many other samples have, None if that is not known.
    """
    fitting = []
    for order in permutations(range(4)):
        m, t, v, c = (shape[axis] for axis in order)
        fits_joints = v == joints if joints else v >= FEWEST_JOINTS
        if t == frames and c in (2, 3) and m <= MOST_PERSONS and fits_joints and v > m:
            fitting.append((m, -c, order))
    # Of [2, 3] persons and coordinates, fewer persons are likelier.
    return Axes(min(fitting)[2]) if fitting else None
