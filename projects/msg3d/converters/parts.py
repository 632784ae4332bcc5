"""Finished work of a conversion, on disk: whole or not there, and read without memory.

A part is two files: the arrays of its samples, end to end, and beside it what they
belong to, written last. Reading maps the first into memory, so that data sets larger
than memory pass through a converter: an array is read when it is looked at, and dropped
when memory is needed.
"""

import mmap
import os
import pickle
from typing import Any

from ..io.atomic import whole_file
from ..io.safe_pickle import loads_plain

ARRAYS, REST = ".arrays", ".part"


def is_written(path: str) -> bool:
    """Whether the part of this name is there."""
    return os.path.exists(path + REST)


def write_part(data: Any, path: str) -> None:
    """Containers, text, numbers and numpy arrays as the part of this name.

    Raises:
        OSError: it cannot be written; nothing of that name is there then.
    """
    buffers: list[pickle.PickleBuffer] = []
    rest = pickle.dumps(data, protocol=5, buffer_callback=buffers.append)
    views = [buffer.raw() for buffer in buffers]
    with whole_file(path + ARRAYS) as file:
        for view in views:
            file.write(view)
    with whole_file(path + REST) as file:
        pickle.dump(([view.nbytes for view in views], rest), file)


def read_part(path: str) -> Any:
    """What was written; its arrays are views of the file, which must not be written to.

    The file may be removed while they are in use.
    """
    with open(path + REST, "rb") as file:
        sizes, rest = loads_plain(file.read())
    if not sum(sizes):
        return loads_plain(rest, [b""] * len(sizes))
    with open(path + ARRAYS, "rb") as file:
        mapped = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    buffers, start = [], 0
    for size in sizes:
        buffers.append(mapped[start : start + size])
        start += size
    return loads_plain(rest, buffers)


def forget_parts(folder: str) -> None:
    """Removes the parts of a folder, and it, if nothing else lies in it."""
    if os.path.isdir(folder):
        for name in os.listdir(folder):
            if name.endswith((ARRAYS, REST, ".tmp")):
                os.unlink(os.path.join(folder, name))
        if not os.listdir(folder):
            os.rmdir(folder)
