"""Safe unpickling of plain data (containers, numbers, text, and NumPy arrays).

`pickle.load` can execute any code. This unpickler supports only the few globals in
`pickled_arrays.py`, and rejects all others before they are imported. The globals are
replaced with stand-ins without attributes, which a file cannot modify. Arrays are built
from the available bytes, never from a claimed size.

CPython's unpickler allocates the memory for a string, a byte array, or its memo table as
soon as it reads the size (python/cpython#115952), so a single changed byte can allocate
30 GB. Therefore `_check_claims` first parses the opcodes, based on the tables of
`pickletools`, and compares every claimed size with the size of the file.

NOTE: a malicious file can still take a long time to load. For example, CPython hashes
deeply nested tuples in dictionary keys once per reference.
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
from .pickled_arrays import GLOBALS, resolve

__all__ = ["load_plain", "loads_plain", "read_plain"]


def load_plain(
    path: StrPath,
    expected: str = PICKLE,
    stand_ins: dict[str, Any] | None = None,
) -> Any:
    """Unpickle a file without executing code in it.

    Args:
        path: path of the file.
        expected: expected file type, for errors (see `file_type.mismatch`).
        stand_ins: mapping from the `module.name` of additional supported globals to
            their stand-ins. Stand-ins must be harmless and immutable.

    Raises:
        PickleError: the pickle contains an unsupported global (kind `unsafe`), is
            damaged (kinds `truncated`, `too-large`, `corrupt`, and `empty`), or is a file
            of another type (kind `wrong-file-type`).
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
    """Unpickle bytes, with optional out-of-band buffers (protocol 5).

    Raises:
        PickleError: see `load_plain`.
    """
    return read_plain(io.BytesIO(content), buffers=buffers)


def read_plain(
    file: BinaryIO,
    expected: str = PICKLE,
    stand_ins: dict[str, Any] | None = None,
    **options: Any,
) -> Any:
    """Unpickle an open file from its start.

    Args:
        file: seekable file.
        expected, stand_ins: see `load_plain`.
        **options: options of `pickle.Unpickler`, such as `encoding` for Python 2.

    Raises:
        PickleError, OSError: see `load_plain`.
    """
    unpickler = _Unpickler(file, stand_ins or {}, **options)
    try:
        file.seek(0)
        start = file.read(4)
        if start and start[:1] not in _STARTS:
            raise PickleError(f"the file starts with {start!r}", kind="corrupt")
        _check_claims(file)
        return resolve(unpickler.load())
    except OSError:
        raise
    # A corrupt pickle can raise any exception.
    except Exception as error:
        failure = _convert_error(error)
    # Pickles with unsupported globals of PyTorch are not annotations or scores.
    if failure.kind != "unsafe" or unpickler.rejected.startswith("torch."):
        failure = mismatch(file, expected, PickleError) or failure
    raise failure from None


def _convert_error(error: Exception) -> MSG3DError:
    """Convert any exception of the unpickler to a PickleError."""
    if isinstance(error, PickleError) and error.kind == "unsafe":
        return error
    reason = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, PickleError):
        kind = error.kind
    elif isinstance(error, MemoryError):
        kind = "too-large"
    else:
        truncated = isinstance(error, EOFError) or "truncated" in reason
        kind = "truncated" if truncated else "corrupt"
    return PickleError(
        f"the file cannot be unpickled ({reason:.200}). Copy or create it again.",
        kind=kind,
    )


# First byte of a pickle: protocol 2 or later, or a container or global in protocols 0 and
# 1. Other files, such as zip archives, could otherwise be read as truncated pickles.
_STARTS = b"\x80()]}c"
# Modules that older versions of Python and NumPy write under other names.
_RENAMED = {
    "__builtin__": "builtins",
    "numpy.core.multiarray": "numpy._core.multiarray",
    "numpy.core.numeric": "numpy._core.numeric",
}


class _Unpickler(pickle.Unpickler):
    """Unpickler that supports only known globals.

    Attributes:
        rejected: name of the rejected global. Empty if none was rejected.
    """

    def __init__(
        self, file: BinaryIO, stand_ins: dict[str, Any], **options: Any
    ) -> None:
        super().__init__(file, **options)
        self.known, self.rejected = {**GLOBALS, **stand_ins}, ""

    def find_class(self, module: str, name: str) -> Any:
        full_name = f"{_RENAMED.get(module, module)}.{name}"
        if full_name not in self.known:
            self.rejected = " ".join(f"{module}.{name}".split())[:200]
            raise PickleError(
                f"the pickle imports {self.rejected}, which is not allowed. No code was "
                "executed. If you trust the source of the file, save its content as "
                "containers, numbers, text, and NumPy arrays.",
                kind="unsafe",
            )
        return self.known[full_name]


_WINDOW = 2**14
_MAX_OPCODE = 16  # bytes of an opcode without text or data
# Minimum bytes of an object and its number in the memo table.
_BYTES_PER_NUMBER = 4


def _codes(*lengths: int | None) -> dict[int, bytes]:
    """Return the opcodes whose arguments have one of the given lengths, by length."""
    codes: dict[int, bytes] = {}
    for opcode in pickletools.opcodes:
        length = 0 if opcode.arg is None else opcode.arg.n
        if length in lengths:
            codes[length] = codes.get(length, b"") + opcode.code.encode("latin-1")
    return codes


_PUT, _LONG_PUT, _FRAME, _STOP = ord("p"), ord("r"), 0x95, ord(".")
# Opcodes of fixed length, except for the end and for opcodes that claim a size.
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
# Opcode -> number of bytes of the length field of its argument.
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
    """Reject a pickle that claims more than the size of the file. Rewinds the file.

    Files that are not pickles pass, because the unpickler stops at the same position as
    this function.

    Raises:
        PickleError: a claimed size exceeds the file (kind `truncated`), or an index of
            the memo table exceeds that of any valid file (kind `too-large`).
    """
    file.seek(0, os.SEEK_END)
    size = file.tell()
    position = base = 0
    window = b""
    while True:
        offset = position - base
        if offset + _MAX_OPCODE > len(window) and base + len(window) < size:
            file.seek(position)
            base, offset, window = position, 0, file.read(_WINDOW)
        run = _RUN.match(window, offset)
        if run is not None:
            position = base + run.end()
            continue
        if position >= size:
            raise PickleError("the end of the pickle is missing", kind="truncated")
        code = window[offset]
        position += 1
        if code in _COUNTED:
            width = _COUNTED[code]
            count = int.from_bytes(window[offset + 1 : offset + 1 + width], "little")
            position = _advance(position + width, count, size)
        elif code in _LINES:
            file.seek(position)
            line = b"".join(file.readline() for _ in range(_LINES[code]))
            if code == _PUT:
                _check_memo_index(line, position)
            position += len(line)
        elif code == _LONG_PUT:
            number = int.from_bytes(window[offset + 1 : offset + 5], "little")
            _check_memo_index(b"%d" % number, position)
            position = _advance(position, 4, size)
        elif code == _FRAME:
            count = int.from_bytes(window[offset + 1 : offset + 9], "little")
            _advance(position + 8, count, size)
            position += 8
        else:  # the end of the pickle, or not an opcode
            break
    file.seek(0)


def _advance(position: int, count: int, size: int) -> int:
    """Return the position after `count` bytes, which must be within the file."""
    if position + count > size:
        remaining = max(size - position, 0)
        raise PickleError(
            f"expected {count} more bytes, got {remaining}", kind="truncated"
        )
    return position + count


def _check_memo_index(text: bytes, position: int) -> None:
    text = text.strip()
    if len(text) > 18 or not text.isdigit():
        raise PickleError("the memo index of an object is invalid", kind="corrupt")
    if int(text) > 256 + position // _BYTES_PER_NUMBER:
        raise PickleError(
            f"the object at byte {position} has memo index {int(text)}",
            kind="too-large",
        )
