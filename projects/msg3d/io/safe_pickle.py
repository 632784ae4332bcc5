"""Unpickle plain data: containers, numbers, text, and NumPy arrays.

`pickle.load` executes whatever a file names. Here a file may name only the few globals
of `pickled_arrays.py`; any other is refused before it is imported. What a file may call
is a stand-in without attributes, so that a file cannot change it either, and arrays are
built from the bytes that are present, never from a claimed size.

CPython's unpickler allocates the memory for a text, a byte array, or its memo table as
soon as the file names a size (python/cpython#115952), so that one changed byte can take
30 GB. `_check_claims` therefore walks over the opcodes first, by the table of
`pickletools`, and compares every claimed size with the file.

NOTE: a file made for it can still take long: CPython computes the hash of a key, such as
a tuple of tuples that are the same tuple, many levels deep, as often as it occurs.
"""

import io
import os
import pickle
import pickletools
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO

from ..errors import MSG3DError, PickleError
from . import StrPath
from .file_type import PICKLE, mismatch
from .pickled_arrays import GLOBALS, resolved

__all__ = ["load_plain", "loads_plain", "read_plain"]


def load_plain(
    path: StrPath,
    expected: str = PICKLE,
    stand_ins: dict[str, Any] | None = None,
) -> Any:
    """Unpickle the file at `path`, executing nothing that it names.

    Args:
        path: the file.
        expected: its type, for the error if it is another (`file_type.mismatch`).
        stand_ins: further globals that the file may name, as `module.name` -> what is
            called instead: an object that cannot be changed and does no harm.

    Raises:
        PickleError: of kind "unsafe" if the pickle names any other global; "truncated",
            "too-large", or "corrupt"; "empty" or "wrong-file-type".
        OSError: the file cannot be read.
    """
    try:
        with Path(path).open("rb") as file:
            return read_plain(file, expected, stand_ins)
    except PickleError as error:
        raise error.at(file=os.fspath(path)) from None


def loads_plain(
    content: bytes, buffers: Iterable[bytes | memoryview] | None = None
) -> Any:
    """Unpickle bytes, with the arrays that are stored outside of them (protocol 5).

    Raises:
        PickleError: as `load_plain`.
    """
    return read_plain(io.BytesIO(content), buffers=buffers)


def read_plain(
    file: BinaryIO,
    expected: str = PICKLE,
    stand_ins: dict[str, Any] | None = None,
    **options: Any,
) -> Any:
    """Unpickle an open file, from its start.

    Args:
        file: a seekable file.
        expected, stand_ins: as in `load_plain`.
        **options: of `pickle.Unpickler`, such as the `encoding` of Python 2's text.

    Raises: as `load_plain`.
    """
    unpickler = _Unpickler(file, stand_ins or {}, **options)
    try:
        file.seek(0)
        start = file.read(4)
        if start and start[:1] not in _STARTS:
            raise PickleError(f"it starts with {start!r}", kind="corrupt")
        _check_claims(file)
        return resolved(unpickler.load())
    except OSError:
        raise
    # A corrupt pickle raises whatever the operation it lands on raises.
    except Exception as error:
        failure = _failure(error)
    # Annotations and scores name no function of torch's that has no stand-in.
    if failure.kind != "unsafe" or unpickler.refused.startswith("torch."):
        failure = mismatch(file, expected, PickleError) or failure
    raise failure from None


def _failure(error: Exception) -> MSG3DError:
    """The error that stands for any other that unpickling raises."""
    if isinstance(error, PickleError) and error.kind == "unsafe":
        return error
    why = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, PickleError):
        kind = error.kind
    elif isinstance(error, MemoryError):
        kind = "too-large"
    else:
        cut = isinstance(error, EOFError) or "truncated" in why
        kind = "truncated" if cut else "corrupt"
    return PickleError(
        f"cannot be unpickled ({why:.200}). Copy the file again, or create it again.",
        kind=kind,
    )


# A protocol from 2 up, or a container or global of protocols 0 and 1. Without it a
# zip archive, for example, would be read as a truncated pickle.
_STARTS = b"\x80()]}c"
# Modules that were renamed, as older Pythons and NumPys write them.
_RENAMED = {
    "__builtin__": "builtins",
    "numpy.core.multiarray": "numpy._core.multiarray",
    "numpy.core.numeric": "numpy._core.numeric",
}


class _Unpickler(pickle.Unpickler):
    """An unpickler that finds the known globals only.

    Attributes:
        refused: the global that was refused; empty if there was none.
    """

    def __init__(
        self, file: BinaryIO, stand_ins: dict[str, Any], **options: Any
    ) -> None:
        super().__init__(file, **options)
        self.known, self.refused = {**GLOBALS, **stand_ins}, ""

    def find_class(self, module: str, name: str) -> Any:
        known = f"{_RENAMED.get(module, module)}.{name}"
        if known not in self.known:
            self.refused = " ".join(f"{module}.{name}".split())[:200]
            raise PickleError(
                f"asks to import {self.refused}, which plain data do not need. Nothing "
                "was executed. If you trust the source of the file, save its content "
                "as containers, numbers, text, and NumPy arrays.",
                kind="unsafe",
            )
        return self.known[known]


# Sizes that a pickle claims.

_WINDOW = 2**14
_LONGEST = 16  # bytes of an opcode without text or data
# Bytes that an object and its number in the memo table take at least.
_BYTES_PER_NUMBER = 4


def _codes(*lengths: int | None) -> dict[int, bytes]:
    """The opcodes by the length of their argument, of those with one of these."""
    codes: dict[int, bytes] = {}
    for opcode in pickletools.opcodes:
        length = 0 if opcode.arg is None else opcode.arg.n
        if length in lengths:
            codes[length] = codes.get(length, b"") + opcode.code.encode("latin-1")
    return codes


_PUT, _LONG_PUT, _FRAME, _STOP = ord("p"), ord("r"), 0x95, ord(".")
# Opcodes of a known length, except for those that claim something, and the end.
_FIXED = {
    length: bytes(set(codes) - {_LONG_PUT, _FRAME, _STOP})
    for length, codes in _codes(0, 1, 2, 4, 8).items()
}
_RUN = re.compile(
    b"(?:%s){1,500}"
    % b"|".join(
        b"[%s].{%d}" % (re.escape(codes), length) for length, codes in _FIXED.items()
    ),
    re.DOTALL,
)
_LINES = {
    code: 2 if opcode.arg.name == "stringnl_noescape_pair" else 1
    for opcode in pickletools.opcodes
    for code in opcode.code.encode("latin-1")
    if opcode.arg is not None and opcode.arg.n == pickletools.UP_TO_NEWLINE
}
# The width of the number that says how many bytes follow.
_COUNTED = {
    code: width
    for kind, width in (
        (pickletools.TAKEN_FROM_ARGUMENT1, 1),
        (pickletools.TAKEN_FROM_ARGUMENT4, 4),
        (pickletools.TAKEN_FROM_ARGUMENT4U, 4),
        (pickletools.TAKEN_FROM_ARGUMENT8U, 8),
    )
    for code in _codes(kind).get(kind, b"")
}


def _check_claims(file: BinaryIO) -> None:
    """Refuse a pickle that claims more than the file has; leave it at its start.

    A file that is not a pickle passes: the unpickler stops where this function does.

    Raises:
        PickleError: "truncated" if the file ends before what it promises; "too-large"
            for a number in the memo table that no honest file reaches.
    """
    file.seek(0, os.SEEK_END)
    size = file.tell()
    place = base = 0
    window = b""
    while True:
        at = place - base
        if at + _LONGEST > len(window) and base + len(window) < size:
            file.seek(place)
            base, at, window = place, 0, file.read(_WINDOW)
        run = _RUN.match(window, at)
        if run is not None:
            place = base + run.end()
            continue
        if place >= size:
            raise PickleError(f"it has no end within {size} bytes", kind="truncated")
        code = window[at]
        place += 1
        if code in _COUNTED:
            width = _COUNTED[code]
            count = int.from_bytes(window[at + 1 : at + 1 + width], "little")
            place = _within(place + width, count, size)
        elif code in _LINES:
            file.seek(place)
            line = b"".join(file.readline() for _ in range(_LINES[code]))
            if code == _PUT:
                _check_number(line, place)
            place += len(line)
        elif code == _LONG_PUT:
            number = int.from_bytes(window[at + 1 : at + 5], "little")
            _check_number(b"%d" % number, place)
            place = _within(place, 4, size)
        elif code == _FRAME:
            count = int.from_bytes(window[at + 1 : at + 9], "little")
            _within(place + 8, count, size)
            place += 8
        else:  # the end, or not an opcode
            break
    file.seek(0)


def _within(place: int, count: int, size: int) -> int:
    if place + count > size:
        left = max(size - place, 0)
        raise PickleError(f"{count} bytes promised, {left} left", kind="truncated")
    return place + count


def _check_number(text: bytes, place: int) -> None:
    text = text.strip()
    if len(text) > 18 or not text.isdigit():
        raise PickleError("the number of a memoized object is invalid", kind="corrupt")
    if int(text) > 256 + place // _BYTES_PER_NUMBER:
        raise PickleError(
            f"the object at byte {place} is memoized under {int(text)}",
            kind="too-large",
        )
