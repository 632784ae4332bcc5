"""The log of a long training: appended to without copying all of it each time."""

from weakref import WeakKeyDictionary

import numpy as np

from .replace import replace


def append_in_place() -> None:
    """MMEngine's log buffers copy their whole history for every value.

    Each of some ten buffers (loss, accuracies, times, learning rate) is two arrays that
    `np.append` makes anew in every iteration: after 200,000 iterations 1 ms a buffer.
    Here they have room for as many values again. Values, length and what a checkpoint
    holds stay the same.
    """
    from mmengine.logging import HistoryBuffer

    buffer = HistoryBuffer()
    buffer.update(0.0)
    before, _ = buffer.data
    buffer.update(0.0)
    if not np.shares_memory(before, buffer.data[0]):
        replace(HistoryBuffer, "update", _with_room)


def _with_room(original):
    # Not an attribute of the buffer: what it has is copied and saved as a whole.
    rooms = WeakKeyDictionary()  # buffer -> [values, counts, how many are in use]

    def update(self, log_val, count=1):
        values, counts = self._log_history, self._count_history
        numbers = all(isinstance(one, (int, float)) for one in (log_val, count))
        if not (numbers and values.dtype == counts.dtype == np.float64):
            return original(self, log_val, count)  # it raises, or changes the type
        room = rooms.get(self)
        # The arrays are others after loading a checkpoint.
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
