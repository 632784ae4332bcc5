"""Read `.npy` files, in memory or a few rows at a time, and write them row by row.

Nothing in a file is executed. `numpy.load` allocates the memory that a header asks for
before it looks whether the numbers are there; here the header is compared with the
bytes first.
"""

import io
import math
import os
from pathlib import Path
from typing import BinaryIO

import numpy as np

from ..errors import DataError
from .atomic import sync_file

_HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


def read_npy_header(file: BinaryIO) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Read what a header claims, which is not yet compared with the file's length.

    Args:
        file: at its start; it is left where the numbers begin.

    Returns:
        Shape, whether the first axis changes fastest, and type.

    Raises:
        DataError: the header is not one of `numpy.save`.
    """
    try:
        version = np.lib.format.read_magic(file)
        shape, by_columns, dtype = _HEADERS[version](file)
    # A corrupt header raises whatever Python's own parser does.
    except Exception as error:
        why = " ".join(f"{error or type(error).__name__}".split())
        raise DataError(
            f"is not an .npy file as numpy.save writes it ({why:.80})", kind="corrupt"
        ) from error
    if any(type(length) is not int or length < 0 for length in shape):
        raise DataError(
            f"holds an array of shape {shape}, expected lengths from 0", kind="corrupt"
        )
    return shape, by_columns, dtype


def array_of_npy(content: bytes, kinds: str = "fiu") -> np.ndarray:
    """Return the array of an `.npy` file in memory, as a view of the bytes.

    Args:
        content: the file, as `numpy.save` writes it.
        kinds: the values of `numpy.dtype.kind` that are read.

    Raises:
        DataError: it is not such a file, truncated, or of another type.
    """
    file = io.BytesIO(content)
    shape, by_columns, dtype = read_npy_header(file)
    if dtype.kind not in kinds or dtype.hasobject:
        raise DataError(
            f"holds an array of type {dtype}, expected numbers", kind="dtype"
        )
    values = memoryview(content)[file.tell() :]
    expected = dtype.itemsize
    for length in shape:
        expected *= length
    if len(values) != expected:
        raise DataError(
            f"has {len(values)} bytes of numbers, expected {expected} for an array of "
            f"shape {shape} and type {dtype}. Copy the file again, or create it again.",
            kind="truncated" if len(values) < expected else "corrupt",
        )
    if not expected:
        # Without numbers, or of texts without letters, an axis may have any length.
        if 0 not in shape or max(shape) > len(content):
            raise DataError(
                f"holds an array of shape {shape} and type {dtype}", kind="too-large"
            )
        return np.empty(shape, dtype)
    array = np.frombuffer(values, dtype=dtype)
    try:
        return array.reshape(shape, order="F" if by_columns else "C")
    except ValueError as error:  # more axes than NumPy supports
        raise DataError(
            f"holds an array of {len(shape)} axes ({error})", kind="corrupt"
        ) from error


class NpyWriter:
    """An `.npy` file that grows at its end.

    Args:
        path: a file that does not exist yet.
        dtype: of the array, and `row_shape` its shape without the first axis.
    """

    def __init__(self, path: Path, dtype: np.dtype, row_shape: tuple[int, ...]) -> None:
        self.dtype, self.row_shape, self.rows = dtype, row_shape, 0
        self.file = path.open("xb")
        self._write_header()
        self.start = self.file.tell()

    def append(self, rows: np.ndarray) -> None:
        self.file.write(rows.tobytes())
        self.rows += len(rows)

    def finish(self) -> None:
        """Write the number of rows into the header, and close the file."""
        self.file.seek(0)
        self._write_header()
        # NumPy leaves room for the number of rows to grow.
        assert self.file.tell() == self.start
        sync_file(self.file)
        self.file.close()

    def _write_header(self) -> None:
        header = {
            "descr": np.lib.format.dtype_to_descr(self.dtype),
            "fortran_order": False,
            "shape": (self.rows, *self.row_shape),
        }
        np.lib.format.write_array_header_1_0(self.file, header)


class NpyRows:
    """Rows of an `.npy` file, read by position: safe in workers that share the file.

    Args:
        path: the file.
        kinds: the values of `numpy.dtype.kind` that it may have.

    Raises:
        OSError: the file cannot be read.
        DataError: it is corrupt, or shorter than its header says.
    """

    def __init__(self, path: str, kinds: str = "biufcSUmM") -> None:
        self.path = path
        self.file = Path(path).open("rb", buffering=0)  # noqa: SIM115  (it stays open)
        try:
            self.shape, by_columns, self.dtype = read_npy_header(self.file)
        except DataError as error:
            raise error.at(file=path) from error
        self.offset = self.file.tell()
        if (by_columns and len(self.shape) > 1) or not self.shape:
            raise DataError("has no rows", kind="shape", file=path)
        if self.dtype.kind not in kinds or self.dtype.hasobject:
            raise DataError(f"is of type {self.dtype}", kind="dtype", file=path)
        self.row_bytes = self.dtype.itemsize * math.prod(self.shape[1:])
        size = Path(path).stat().st_size - self.offset
        if self.row_bytes * self.shape[0] != size or self.shape[0] > max(size, 0):
            raise DataError(
                f"has {size} bytes for shape {self.shape}", kind="corrupt", file=path
            )

    def __len__(self) -> int:
        return self.shape[0]

    def read(self, start: int, count: int) -> np.ndarray:
        """Return the rows from `start` on in an array of their own, [count, ...].

        Raises:
            DataError: not all of them are in the file.
        """
        if not 0 <= start <= start + count <= len(self):
            raise DataError(
                f"has {len(self)} rows, but the index names {start} to "
                f"{start + count}. Copy the store again, or pack it again.",
                kind="corrupt",
                file=self.path,
            )
        rows = np.empty((count, *self.shape[1:]), self.dtype)
        place = self.offset + start * self.row_bytes
        if _read_at(self.file, rows.data, place) != rows.nbytes:
            raise DataError(
                f"ends before row {start + count}, which existed when it was opened. "
                "Copy the store again, or pack it again.",
                kind="truncated",
                file=self.path,
            )
        return rows


def _read_at(file: io.FileIO, buffer: memoryview, place: int) -> int:
    """Fill a buffer from a position in a file, and return the number of bytes read."""
    if hasattr(os, "preadv"):
        return os.preadv(file.fileno(), [buffer], place)
    # Windows: workers do not share the position, since each opens the file.
    file.seek(place)
    return file.readinto(buffer)
