"""Order of the axes of keypoint arrays that are not [M, T, V, C].

Common orders are [M, C, T, V] and [C, T, V, M] (ST-GCN and its successors),
[T, M, V, C] (pose estimators, frame by frame), and [M, V, T, C].
"""

from dataclasses import dataclass
from itertools import permutations

NAMES = "MTVC"
# Orders with more persons or fewer joints are not guessed.
MOST_PERSONS, FEWEST_JOINTS = 10, 5


@dataclass(frozen=True)
class Axes:
    """An order of axes.

    Attributes:
        order: for each of M, T, V, and C, its axis in the array.
    """

    order: tuple[int, int, int, int]

    @property
    def names(self) -> str:
        """The order of the array: `[T, M, V, C]`."""
        names = sorted(NAMES, key=lambda name: self.order[NAMES.index(name)])
        return f"[{', '.join(names)}]"

    @property
    def fix(self) -> str:
        """The call that makes it [M, T, V, C]: `transpose(1, 0, 2, 3)`."""
        return f"transpose{self.order}"


def guess_axes(
    shape: tuple[int, int, int, int], frames: int, joints: int | None = None
) -> Axes | None:
    """Guess the order of the axes of an array; None if it is unclear.

    Args:
        shape: shape of the array.
        frames: number of frames, as the sample states it.
        joints: number of joints in other samples; None if unknown.
    """
    fitting = []
    for order in permutations(range(4), 4):
        m, t, v, c = (shape[axis] for axis in order)
        fits_joints = v == joints if joints else v >= FEWEST_JOINTS
        if t == frames and c in (2, 3) and m <= MOST_PERSONS and fits_joints and v > m:
            fitting.append((m, -c, order))
    # Of [2, 3] persons and coordinates, fewer persons are likelier.
    return Axes(min(fitting)[2]) if fitting else None
