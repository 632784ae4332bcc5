"""The array of a `.npy` file that is in memory; nothing in it is ever executed.

`numpy.load` takes the memory that a header asks for before it looks whether the numbers
are there. Here the header is compared with the bytes first.
"""

import io
import math
import os
from typing import BinaryIO

import numpy as np

from ..errors import DataError
from .atomic import sync_file

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


class NpyWriter:
    """An .npy file that grows at its end.

    Args:
        path: a file that is not there yet.
        dtype: of the array, and `row_shape` its shape without the first axis.
    """

    def __init__(self, path: str, dtype: np.dtype, row_shape: tuple[int, ...]) -> None:
        self.dtype, self.row_shape, self.rows = dtype, row_shape, 0
        self.file = open(path, "xb")
        self._write_header()
        self.start = self.file.tell()

    def append(self, rows: np.ndarray) -> None:
        self.file.write(rows.tobytes())
        self.rows += len(rows)

    def finish(self) -> None:
        """Says in the header how many rows there are, and closes the file."""
        self.file.seek(0)
        self._write_header()
        # numpy leaves room for the number of rows to grow.
        assert self.file.tell() == self.start
        sync_file(self.file)
        self.file.close()

    def _write_header(self) -> None:
        header = dict(
            descr=np.lib.format.dtype_to_descr(self.dtype),
            fortran_order=False,
            shape=(self.rows, *self.row_shape),
        )
        np.lib.format.write_array_header_1_0(self.file, header)


class NpyRows:
    """Rows of an .npy file, read by position: safe in workers that share the file.

    Args:
        path: the file.
        kinds: of `numpy.dtype.kind` that it may hold.

    Raises:
        OSError, ValueError: the file cannot be read, or is damaged, or shorter than its
            header says.
    """

    def __init__(self, path: str, kinds: str = "biufcSUmM") -> None:
        self.file = open(path, "rb", buffering=0)
        self.shape, by_columns, self.dtype = read_npy_header(self.file)
        self.offset = self.file.tell()
        if by_columns and len(self.shape) > 1 or not self.shape:
            raise ValueError(f"{self.file.name} holds no rows")
        if self.dtype.kind not in kinds or self.dtype.hasobject:
            raise ValueError(f"{self.file.name} is of type {self.dtype}")
        self.row_bytes = self.dtype.itemsize * math.prod(self.shape[1:])
        found = os.path.getsize(path) - self.offset
        if self.row_bytes * self.shape[0] != found or self.shape[0] > max(found, 0):
            raise ValueError(
                f"{self.file.name} has {found} bytes for shape {self.shape}"
            )

    def __len__(self) -> int:
        return self.shape[0]

    def read(self, start: int, count: int) -> np.ndarray:
        """Rows from `start` on, in an array of their own [count, ...].

        Raises:
            DataError: they are not all there.
        """
        if not 0 <= start <= start + count <= len(self):
            raise DataError(
                f"packed store: {self.file.name} has {len(self)} rows, and the index names "
                f"{start} to {start + count}: copy or pack it again"
            )
        rows = np.empty((count, *self.shape[1:]), self.dtype)
        place = self.offset + start * self.row_bytes
        if os.preadv(self.file.fileno(), [rows], place) != rows.nbytes:
            raise DataError(
                f"packed store: {self.file.name} ends before row {start + count}, "
                "which was there when it was opened: copy or pack it again"
            )
        return rows
