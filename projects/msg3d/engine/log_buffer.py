"""MMEngine's log buffer without copies of its history."""

from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np


def with_room(original: Callable) -> Callable:
    """Return `HistoryBuffer.update` that appends in place.

    Each of about ten buffers (loss, accuracies, times, learning rate) is two arrays that
    `np.append` copies in every iteration: 1 ms per buffer after 200,000 iterations. Here
    they have room for as many values again. Values, length, and the content of a
    checkpoint stay the same.
    """
    # Not an attribute of the buffer: all of its attributes are copied and saved.
    # buffer -> [values, counts, number in use]
    rooms: WeakKeyDictionary[Any, list[Any]] = WeakKeyDictionary()

    def update(self: Any, log_val: float, count: float = 1) -> None:
        values, counts = self._log_history, self._count_history
        numbers = isinstance(log_val, (int, float)) and isinstance(count, (int, float))
        if not (numbers and values.dtype == counts.dtype == np.float64):
            return original(self, log_val, count)  # it raises, or changes the type
        room = rooms.get(self)
        # Loading a checkpoint replaces the arrays.
        if room is None or values.base is not room[0] or counts.base is not room[1]:
            room = None
        if room is None or room[2] == len(room[0]):
            used = len(values)
            room = rooms[self] = [_enlarged(values), _enlarged(counts), used]
        room[0][room[2]], room[1][room[2]] = log_val, count
        room[2] += 1
        kept = slice(max(room[2] - self.max_length, 0), room[2])
        self._log_history, self._count_history = room[0][kept], room[1][kept]

    return update


def _enlarged(values: np.ndarray) -> np.ndarray:
    """The values, and room for as many again, at least 64."""
    room = np.empty(len(values) + max(len(values), 64))
    room[: len(values)] = values
    return room
