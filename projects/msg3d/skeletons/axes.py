"""Detect a wrong order of axes in keypoint arrays, which must be [M, T, V, C].

Common wrong orders are [M, C, T, V] and [C, T, V, M] (ST-GCN and its successors),
[T, M, V, C] (pose estimators, frame by frame), and [M, V, T, C].
"""

from dataclasses import dataclass
from itertools import permutations

NAMES = "MTVC"
# Orders with more persons or fewer joints are not guessed.
MOST_PERSONS, FEWEST_JOINTS = 10, 5


@dataclass(frozen=True)
class Axes:
    """Order of the axes of a keypoint array.

    Attributes:
        order: numbers of the axes that are M, T, V, and C.
    """

    order: tuple[int, int, int, int]

    @property
    def names(self) -> str:
        """Names of the axes in the order of the array, such as `[T, M, V, C]`."""
        names = sorted(NAMES, key=lambda name: self.order[NAMES.index(name)])
        return f"[{', '.join(names)}]"

    @property
    def fix(self) -> str:
        """Call that converts the array to [M, T, V, C], like `transpose(1, 0, 2, 3)`."""
        return f"transpose{self.order}"


def guess_axes(
    shape: tuple[int, int, int, int], frames: int, joints: int | None = None
) -> Axes | None:
    """Guess the order of the axes of a keypoint array from its shape.

    Args:
        shape: shape of the array.
        frames: `total_frames` of the sample.
        joints: number of joints in other samples; None if unknown.

    Returns:
        The most likely order, or None if no order is plausible.
    """
    candidates = []
    for order in permutations(range(4), 4):
        m, t, v, c = (shape[axis] for axis in order)
        fits_joints = v == joints if joints else v >= FEWEST_JOINTS
        if t == frames and c in (2, 3) and m <= MOST_PERSONS and fits_joints and v > m:
            candidates.append((m, -c, order))
    # If lengths 2 and 3 could be persons or coordinates, prefer fewer persons.
    return Axes(min(candidates)[2]) if candidates else None
