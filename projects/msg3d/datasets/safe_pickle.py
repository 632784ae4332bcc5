"""Reading a pickle of plain data: containers, numbers, text and numpy arrays.

`pickle.load` executes whatever the file names. Here a file may name only the
few globals below; any other is refused before it is imported. What a file may
call is a stand-in without attributes, so that a file cannot change it either, and
arrays are built from the bytes that are there, never from a size that is claimed.

NOTE: CPython's unpickler itself sizes a table by the memo numbers of the file, so a
file made for it can still take memory; it cannot execute anything.
"""

import io
import os
import pickle
from collections import OrderedDict
from collections.abc import Iterable
from typing import Any

import numpy as np


class RefusedGlobal(pickle.UnpicklingError):
    """The pickle asks for a global that plain data do not need."""


class Truncated(pickle.UnpicklingError):
    """The pickle promises more bytes than the file has."""


class _Array:
    """Stands for `numpy.ndarray`, which a file names but must not call."""

    __slots__ = ()


class _Reconstruct:
    """`numpy.core.multiarray._reconstruct`: the empty array that is filled later."""

    __slots__ = ()

    def __call__(self, subtype, shape, typecode):
        if subtype is not _ARRAY or shape != (0,):
            raise pickle.UnpicklingError("an array of no known kind")
        return np.empty((0,), np.int8)


class _FromBuffer:
    """`numpy.core.numeric._frombuffer`: an array in protocol 5."""

    __slots__ = ()

    def __call__(self, buffer, dtype, shape, order, axis_order=None):
        array = np.frombuffer(buffer, dtype=dtype)
        if axis_order is not None:
            return array.reshape(shape).transpose(axis_order)
        return array.reshape(shape, order=order)


class _Scalar:
    """`numpy.core.multiarray.scalar`: a number of numpy's, from its bytes."""

    __slots__ = ()

    def __call__(self, dtype, value):
        if not isinstance(value, bytes):
            raise pickle.UnpicklingError("a scalar that is not plain")
        return _scalar(dtype, value)


class _Latin1:
    """`codecs.encode`: how protocols below 3 write bytes."""

    __slots__ = ()

    def __call__(self, text, encoding):
        if encoding not in ("latin1", "latin-1"):
            raise pickle.UnpicklingError(f"bytes in the encoding {encoding!r}")
        return text.encode("latin-1")


class _NoBytes:
    """`builtins.bytes()`: how protocols below 3 write empty bytes."""

    __slots__ = ()

    def __call__(self):
        return b""


_ARRAY = _Array()
_scalar = np.float64(0).__reduce__()[0]  # wherever this numpy keeps it
_GLOBALS = {
    "builtins.set": set,
    "builtins.frozenset": frozenset,
    "builtins.bytes": _NoBytes(),
    "collections.OrderedDict": OrderedDict,
    "_codecs.encode": _Latin1(),
    "codecs.encode": _Latin1(),
    "numpy.ndarray": _ARRAY,
    "numpy.dtype": np.dtype,
    "numpy._core.multiarray._reconstruct": _Reconstruct(),
    "numpy._core.multiarray.scalar": _Scalar(),
    "numpy._core.numeric._frombuffer": _FromBuffer(),
}
# A protocol from 2 up, or a container or global of protocols 0 and 1. Without it a
# zip archive, say, reads as a truncated pickle.
_STARTS = b"\x80()]}c"
# Modules that were renamed, as older Pythons and numpys write them.
_RENAMED = {
    "__builtin__": "builtins",
    "numpy.core.multiarray": "numpy._core.multiarray",
    "numpy.core.numeric": "numpy._core.numeric",
}


class _WithinFile:
    """A file that refuses, before any memory is taken, to read beyond its end."""

    def __init__(self, file: io.BufferedReader) -> None:
        self.file = file
        self.size = os.fstat(file.fileno()).st_size
        self.peek = file.peek
        self.readline = file.readline

    def _require(self, count: int) -> None:
        left = self.size - self.file.tell()
        if count > left:
            raise Truncated(f"{count} bytes promised, {left} left")

    def read(self, count: int = -1) -> bytes:
        self._require(count)
        return self.file.read(count)

    def readinto(self, buffer) -> int:
        self._require(len(buffer))
        return self.file.readinto(buffer)


class _Unpickler(pickle.Unpickler):
    def __init__(self, file, stand_ins: dict[str, Any], buffers=None) -> None:
        super().__init__(file, buffers=buffers)
        self.known = {**_GLOBALS, **stand_ins}

    def find_class(self, module: str, name: str) -> Any:
        known = f"{_RENAMED.get(module, module)}.{name}"
        if known not in self.known:
            raise RefusedGlobal(f"{module}.{name}")
        return self.known[known]


def load_plain(path: str, stand_ins: dict[str, Any] | None = None) -> Any:
    """What the pickle at `path` holds, executing nothing that it names.

    Args:
        path: the file.
        stand_ins: what a file may name besides, as `module.name` -> what is called in
            its place: something that cannot be changed and does no harm.

    Raises:
        RefusedGlobal: the pickle names a global outside the list; its text is the
            name.
        Truncated, EOFError: the file ends before the pickle does.
        OSError: the file cannot be read.
        Exception: anything else that a damaged pickle makes the unpickler raise.
    """
    with open(path, "rb") as file:
        start = file.peek(1)[:1]
        if start and start not in _STARTS:
            raise pickle.UnpicklingError(f"it starts with {file.peek(4)[:4]!r}")
        return _Unpickler(_WithinFile(file), stand_ins or {}).load()


def loads_plain(content: bytes, buffers: Iterable | None = None) -> Any:
    """`load_plain` of bytes, with the arrays that lie outside them (protocol 5).

    Raises: as `load_plain`.
    """
    return _Unpickler(io.BytesIO(content), {}, buffers).load()
