"""Reading a pickle of plain data: containers, numbers, text and numpy arrays.

`pickle.load` executes whatever the file names. Here a file may name only the
few globals below; any other is refused before it is imported. What a file may
call is a stand-in without attributes, so that a file cannot change it either, and
arrays are built from the bytes that are there, never from a size that is claimed
(`pickled_arrays.py`).

The sizes that a file claims are compared with it beforehand (`pickle_claims.py`).

NOTE: a file made for it can still take long: CPython computes the hash of a key, such as
a tuple of tuples that are the same tuple, many levels deep, as often as it is there.
"""

import io
import pickle
from collections import OrderedDict
from collections.abc import Iterable
from typing import Any, BinaryIO

from .pickle_claims import Truncated, check_claims
from .pickled_arrays import FromBuffer, PickledArray, PickledType, Scalar, resolved

__all__ = ["RefusedGlobal", "Truncated", "load_plain", "loads_plain", "read_plain"]


class RefusedGlobal(pickle.UnpicklingError):
    """The pickle asks for a global that plain data do not need."""


class _Array:
    """Stands for `numpy.ndarray`, which a file names but must not call."""

    __slots__ = ()


class _Reconstruct:
    """`numpy.core.multiarray._reconstruct`: the empty array that is filled later."""

    __slots__ = ()

    def __call__(self, subtype, shape, typecode):
        if subtype is not _ARRAY or shape != (0,):
            raise pickle.UnpicklingError("an array of no known kind")
        return PickledArray()


class _Type:
    """`numpy.dtype`, which a file calls and must not reach into."""

    __slots__ = ()

    def __call__(self, *args):
        return PickledType(*args)


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
_GLOBALS = {
    "builtins.set": set,
    "builtins.frozenset": frozenset,
    "builtins.bytes": _NoBytes(),
    "collections.OrderedDict": OrderedDict,
    "_codecs.encode": _Latin1(),
    "codecs.encode": _Latin1(),
    "numpy.ndarray": _ARRAY,
    "numpy.dtype": _Type(),
    "numpy._core.multiarray._reconstruct": _Reconstruct(),
    "numpy._core.multiarray.scalar": Scalar(),
    "numpy._core.numeric._frombuffer": FromBuffer(),
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


class _Unpickler(pickle.Unpickler):
    def __init__(self, file, stand_ins: dict[str, Any], **options) -> None:
        super().__init__(file, **options)
        self.known = {**_GLOBALS, **stand_ins}

    def find_class(self, module: str, name: str) -> Any:
        known = f"{_RENAMED.get(module, module)}.{name}"
        if known not in self.known:
            raise RefusedGlobal(" ".join(f"{module}.{name}".split())[:200])
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
        return read_plain(file, stand_ins)


def read_plain(
    file: BinaryIO, stand_ins: dict[str, Any] | None = None, **options
) -> Any:
    """`load_plain` of an open file, from its start.

    Args:
        file: one that can seek.
        stand_ins: as of `load_plain`.
        options: of `pickle.Unpickler`, such as the `encoding` of Python 2's text.

    Raises: as `load_plain`.
    """
    file.seek(0)
    start = file.read(4)
    if start and start[:1] not in _STARTS:
        raise pickle.UnpicklingError(f"it starts with {start!r}")
    check_claims(file)
    return resolved(_Unpickler(file, stand_ins or {}, **options).load())


def loads_plain(content: bytes, buffers: Iterable | None = None) -> Any:
    """`load_plain` of bytes, with the arrays that lie outside them (protocol 5).

    Raises: as `load_plain`.
    """
    file = io.BytesIO(content)
    check_claims(file)
    return resolved(_Unpickler(file, {}, buffers=buffers).load())
