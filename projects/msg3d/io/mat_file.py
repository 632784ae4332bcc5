"""Reader for real numbers and text in MATLAB files of version 5.

SciPy's reader crashes (SIGSEGV) on some corrupt files. This reader checks every size.

Format: MathWorks, "MAT-File Format", Level 5. A header of 128 bytes is followed by
elements. An element consists of its type, its number of bytes, and its data, padded to
8 bytes. Type and number take 32 bits each, or 16 bits each in small elements with up to
four bytes of data. The top level contains only matrices and compressed (zlib) matrices. A
matrix consists of the elements flags, dimensions, name, and data.
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
# Element type -> data type. MATLAB stores doubles with small integer values as integers.
_TYPES = {
    **{1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8"},
    **{12: "i8", 13: "u8"},
}
_ENCODINGS = {1: "latin-1", 2: "latin-1", 4: "utf-16", 16: "utf-8"}

Element = tuple[int, memoryview]


def read_mat(content: bytes) -> dict[str, np.ndarray | str]:
    """Read the variables in a MATLAB file.

    Args:
        content: content of the file.

    Returns:
        Mapping from the name of a variable to a float64 array, or to a string for a
        single line of text. Variables of other classes, such as cells and structures,
        are omitted.

    Raises:
        DataError: the file is not a MATLAB file of version 5 (kind `wrong-file-type`),
            or is damaged (kinds `truncated`, `corrupt`, and `too-large`).
    """
    order = {b"IM": "<", b"MI": ">"}.get(content[126:128])
    if order is None or content[:6] != b"MATLAB":
        raise DataError(
            "the file is not a MATLAB file of version 5. Save it in MATLAB with -v7 or "
            "-v6.",
            kind="wrong-file-type",
        )
    variables = {}
    for kind, data in _elements(memoryview(content)[128:], order):
        if kind == _COMPRESSED:
            elements = list(_elements(memoryview(_decompress(data)), order))
            if len(elements) != 1:
                raise _corrupt("a compressed element does not contain a single matrix")
            kind, data = elements[0]
        if kind != _MATRIX:
            raise _corrupt(f"an element has type {kind}, expected a matrix")
        variable = _variable(data, order)
        if variable is not None:
            variables[variable[0]] = variable[1]
    return variables


def _corrupt(reason: str, kind: str = "corrupt") -> DataError:
    return DataError(f"the MATLAB file is corrupt ({reason})", kind=kind)


def _decompress(data: memoryview) -> bytes:
    stream = zlib.decompressobj()
    try:
        content = stream.decompress(data, MAX_BYTES)
    except zlib.error as error:
        raise _corrupt(f"a matrix cannot be decompressed: {error}") from None
    if stream.unconsumed_tail:
        raise _corrupt(f"a matrix has more than {MAX_BYTES} bytes", "too-large")
    if not stream.eof:
        raise _corrupt("the file ends within a compressed matrix", "truncated")
    return content


def _elements(data: memoryview, order: str) -> Iterator[Element]:
    """Iterate over consecutive elements in the data."""
    while data:
        if len(data) < 8:
            raise _corrupt("the file ends within an element", "truncated")
        kind, size = struct.unpack_from(f"{order}II", data)
        start = 8
        if kind >> 16:  # a small element
            kind, size, start = kind & 0xFFFF, kind >> 16, 4
            if size > 4:
                raise _corrupt(f"a small element has {size} bytes")
        end = start + size
        if end > len(data):
            raise _corrupt("the file ends within an element", "truncated")
        yield kind, data[start:end]
        # Compressed elements are not padded.
        data = data[end if kind == _COMPRESSED else -(-end // 8) * 8 :]


def _variable(data: memoryview, order: str) -> tuple[str, np.ndarray | str] | None:
    """Return the name and value of a matrix, or None if its class is unsupported."""
    parts = _elements(data, order)
    head = list(islice(parts, 3))
    if [kind for kind, _ in head] != [6, 5, 1] or len(head[0][1]) != 8:
        raise _corrupt("flags, dimensions, or name of a matrix are missing")
    (flags,) = struct.unpack_from(f"{order}I", head[0][1])
    if flags & 0xFF != _CHAR and (flags & 0xFF not in _NUMERIC or flags & _COMPLEX):
        return None
    shape = [int(size) for size in _numbers(head[1], order)]
    name = bytes(head[2][1]).decode("latin-1")
    if len(shape) < 2 or min(shape) < 0:
        raise _corrupt(f"{name[:40]!r} has invalid dimensions {shape!s:.80}")
    element = next(parts, None)
    if element is None:
        raise _corrupt(f"{name[:40]!r} has no data", "truncated")
    if flags & 0xFF == _CHAR:
        return name, _text(element, shape, name, order)
    numbers = _numbers(element, order)
    if len(numbers) != math.prod(shape):
        raise _corrupt(
            f"{name[:40]!r} has {len(numbers)} numbers, which do not fit its dimensions {shape!s:.80}"
        )
    return name, numbers.reshape(shape, order="F").astype(np.float64)


def _numbers(element: Element, order: str) -> np.ndarray:
    kind, data = element
    if kind not in _TYPES:
        raise _corrupt(f"numbers have unknown type {kind}")
    dtype = np.dtype(order + _TYPES[kind])
    if len(data) % dtype.itemsize:
        raise _corrupt(f"numbers of {dtype.itemsize} bytes take {len(data)} bytes")
    return np.frombuffer(data, dtype)


def _text(element: Element, shape: list[int], name: str, order: str) -> str:
    kind, data = element
    if kind not in _ENCODINGS or (len(data) and shape[0] != 1):
        raise _corrupt(f"{name[:40]!r} is not a single line of text")
    encoding = _ENCODINGS[kind]
    if encoding == "utf-16":
        encoding += "-le" if order == "<" else "-be"
    try:
        return bytes(data).decode(encoding)
    except UnicodeDecodeError as error:
        raise _corrupt(f"{name[:40]!r} is not {encoding}: {error.reason}") from None
