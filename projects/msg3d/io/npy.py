"""The array of a `.npy` file that is in memory; nothing in it is ever executed.

`numpy.load` takes the memory that a header asks for before it looks whether the numbers
are there. Here the header is compared with the bytes first.
"""

import io
from typing import BinaryIO

import numpy as np

_HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


def read_npy_header(file: BinaryIO) -> tuple[tuple[int, ...], bool, np.dtype]:
    """What a header claims, which is not yet compared with the file's length.

    Args:
        file: at its start; it is left where the numbers begin.

    Returns:
        Shape, whether the first axis changes fastest, and type.

    Raises:
        ValueError: no header of `numpy.save`; the text begins with what the file is.
    """
    try:
        version = np.lib.format.read_magic(file)
        shape, by_columns, dtype = _HEADERS[version](file)
    # A damaged header raises whatever Python's own parser does.
    except Exception as error:
        why = " ".join(f"{error or type(error).__name__}".split())
        raise ValueError(
            f"is no .npy file as numpy.save writes it ({why:.80})"
        ) from error
    if any(type(length) is not int or length < 0 for length in shape):
        raise ValueError(f"holds an array of shape {shape}, expected lengths from 0")
    return shape, by_columns, dtype


def array_of_npy(content: bytes, kinds: str = "fiu") -> np.ndarray:
    """The array, as a view of the bytes.

    Args:
        content: the file, as `numpy.save` writes it.
        kinds: of `numpy.dtype.kind` that are read.

    Raises:
        ValueError: no such file, cut off, or of another type; the text begins with
            what the file is.
    """
    file = io.BytesIO(content)
    shape, by_columns, dtype = read_npy_header(file)
    if dtype.kind not in kinds or dtype.hasobject:
        raise ValueError(f"holds an array of type {dtype}, expected numbers")
    values = memoryview(content)[file.tell() :]
    wanted = dtype.itemsize
    for length in shape:
        wanted *= length
    if len(values) != wanted:
        raise ValueError(
            f"has {len(values)} bytes of numbers, expected {wanted} for an array of "
            f"shape {shape} and type {dtype}: it is cut off or damaged"
        )
    if not wanted:
        # Of no numbers, or of texts of no letters: an axis may be any long.
        if 0 not in shape or max(shape) > len(content):
            raise ValueError(f"holds an array of shape {shape} and type {dtype}")
        return np.empty(shape, dtype)
    array = np.frombuffer(values, dtype=dtype)
    return array.reshape(shape, order="F" if by_columns else "C")
