"""Fixes for long training runs: growing logs, and memory shared with workers."""

import functools
import gc
import os
from weakref import WeakKeyDictionary

import numpy as np

from .replace import replace


def append_in_place() -> None:
    """Append to MMEngine's log buffers without copying their history for every value.

    Each of about ten buffers (loss, accuracies, times, learning rate) is two arrays that
    `np.append` copies in every iteration: 1 ms per buffer after 200,000 iterations. Here
    they have room for as many values again. Values, length, and the content of a
    checkpoint stay the same.
    """
    from mmengine.logging import HistoryBuffer

    buffer = HistoryBuffer()
    buffer.update(0.0)
    before, _ = buffer.data
    buffer.update(0.0)
    if not np.shares_memory(before, buffer.data[0]):
        replace(HistoryBuffer, "update", _with_room)


def _with_room(original):
    # Not an attribute of the buffer: all of its attributes are copied and saved.
    rooms = WeakKeyDictionary()  # buffer -> [values, counts, number in use]

    def update(self, log_val, count=1):
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


@functools.cache
def keep_shared() -> None:
    """Exclude inherited objects from the garbage collection of forked workers.

    Python's collector writes into the head of each object that it looks at, and the
    system then copies the page: tens of MiB for each worker, at some moment of the
    training, which looks like a memory leak. `gc.freeze`, made for this, excludes what
    forked processes inherit. Their own objects are collected as usual.
    """
    if hasattr(os, "register_at_fork"):  # not on Windows, where nothing is shared
        os.register_at_fork(after_in_child=gc.freeze)
