"""MATLAB files of version 5: real numbers and text, without SciPy.

SciPy's reader crashes (SIGSEGV) on some damaged files. This one checks every size.

Format: MathWorks, "MAT-File Format", Level 5. A header of 128 bytes is followed by
elements: type and number of bytes (32 bits each; or 16 bits each, with up to four bytes of
data), then the data, padded to 8 bytes. Only two types occur at the top level, a matrix
and a compressed (zlib) matrix. A matrix consists of the elements flags, dimensions, name,
and data.
"""

import math
import struct
import zlib
from collections.abc import Iterator
from itertools import islice

import numpy as np

from ..errors import DataError

__all__ = ["MAX_BYTES", "read_mat"]

MAX_BYTES = 64 * 2**20  # of an uncompressed matrix

_MATRIX, _COMPRESSED = 14, 15
_CHAR = 4
_NUMERIC = range(6, 16)  # double, single, int8, ..., uint64
_COMPLEX = 0x800
# Type of an element -> type of its numbers. MATLAB stores doubles that are small integers
# as integers.
_TYPES = {
    **{1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8"},
    **{12: "i8", 13: "u8"},
}
_ENCODINGS = {1: "latin-1", 2: "latin-1", 4: "utf-16", 16: "utf-8"}

Element = tuple[int, memoryview]


def read_mat(content: bytes) -> dict[str, np.ndarray | str]:
    """Read the variables of a file.

    Args:
        content: the file.

    Returns:
        Name -> float64 array of any number of dimensions, or text of one line. Variables
        of other classes, such as cells and structures, are omitted.

    Raises:
        DataError: it is not a MATLAB file of version 5 (`wrong-file-type`), or is
            `truncated`, `corrupt`, or `too-large`.
    """
    order = {b"IM": "<", b"MI": ">"}.get(content[126:128])
    if order is None or content[:6] != b"MATLAB":
        raise DataError(
            "is not a MATLAB file of version 5 (save it in MATLAB with -v7 or -v6)",
            kind="wrong-file-type",
        )
    variables = {}
    for kind, data in _elements(memoryview(content)[128:], order):
        if kind == _COMPRESSED:
            elements = list(_elements(memoryview(_decompress(data)), order))
            if len(elements) != 1:
                raise _corrupt("a compressed element is not one matrix")
            kind, data = elements[0]
        if kind != _MATRIX:
            raise _corrupt(f"an element has the type {kind}, expected a matrix")
        variable = _variable(data, order)
        if variable is not None:
            variables[variable[0]] = variable[1]
    return variables


def _corrupt(why: str, kind: str = "corrupt") -> DataError:
    return DataError(f"is a corrupt MATLAB file: {why}", kind=kind)


def _decompress(data: memoryview) -> bytes:
    stream = zlib.decompressobj()
    try:
        content = stream.decompress(data, MAX_BYTES)
    except zlib.error as error:
        raise _corrupt(f"cannot be decompressed ({error})") from None
    if stream.unconsumed_tail:
        raise _corrupt(f"a matrix has more than {MAX_BYTES} bytes", "too-large")
    if not stream.eof:
        raise _corrupt("ends within a compressed matrix", "truncated")
    return content


def _elements(data: memoryview, order: str) -> Iterator[Element]:
    """Yield the elements that follow one another."""
    while data:
        if len(data) < 8:
            raise _corrupt("ends within an element", "truncated")
        kind, size = struct.unpack_from(f"{order}II", data)
        start = 8
        if kind >> 16:  # a small element
            kind, size, start = kind & 0xFFFF, kind >> 16, 4
            if size > 4:
                raise _corrupt(f"a small element has {size} bytes")
        end = start + size
        if end > len(data):
            raise _corrupt("ends within an element", "truncated")
        yield kind, data[start:end]
        # Compressed elements are not padded.
        data = data[end if kind == _COMPRESSED else -(-end // 8) * 8 :]


def _variable(data: memoryview, order: str) -> tuple[str, np.ndarray | str] | None:
    """Return name and value of a matrix, or None if it is of another class."""
    parts = _elements(data, order)
    head = list(islice(parts, 3))
    if [kind for kind, _ in head] != [6, 5, 1] or len(head[0][1]) != 8:
        raise _corrupt("a matrix lacks flags, dimensions, or name")
    (flags,) = struct.unpack_from(f"{order}I", head[0][1])
    if flags & 0xFF != _CHAR and (flags & 0xFF not in _NUMERIC or flags & _COMPLEX):
        return None
    shape = [int(size) for size in _numbers(head[1], order)]
    name = bytes(head[2][1]).decode("latin-1")
    if len(shape) < 2 or min(shape) < 0:
        raise _corrupt(f"{name[:40]!r} has the dimensions {shape!s:.80}")
    element = next(parts, None)
    if element is None:
        raise _corrupt(f"{name[:40]!r} has no data", "truncated")
    if flags & 0xFF == _CHAR:
        return name, _text(element, shape, name, order)
    numbers = _numbers(element, order)
    if len(numbers) != math.prod(shape):
        raise _corrupt(
            f"{name[:40]!r} has {len(numbers)} numbers, but the dimensions "
            f"{shape!s:.80}"
        )
    return name, numbers.reshape(shape, order="F").astype(np.float64)


def _numbers(element: Element, order: str) -> np.ndarray:
    kind, data = element
    if kind not in _TYPES:
        raise _corrupt(f"numbers have the type {kind}")
    dtype = np.dtype(order + _TYPES[kind])
    if len(data) % dtype.itemsize:
        raise _corrupt(f"numbers of {dtype.itemsize} bytes take {len(data)} bytes")
    return np.frombuffer(data, dtype)


def _text(element: Element, shape: list[int], name: str, order: str) -> str:
    kind, data = element
    if kind not in _ENCODINGS or (len(data) and shape[0] != 1):
        raise _corrupt(f"{name[:40]!r} is not text of one line")
    encoding = _ENCODINGS[kind]
    if encoding == "utf-16":
        encoding += "-le" if order == "<" else "-be"
    try:
        return bytes(data).decode(encoding)
    except UnicodeDecodeError as error:
        raise _corrupt(f"{name[:40]!r} is not {encoding} ({error.reason})") from None
