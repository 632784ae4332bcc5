"""Safe readers and a writer for `.npy` files.

Files are read in memory or a few rows at a time, and written row by row. Pickled objects
are rejected. `numpy.load` allocates the memory that a header claims before it reads the
data. These readers compare the header with the size of the file first.
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
    """Read the header of an `.npy` file, without comparing it with the size of the file.

    Args:
        file: file, positioned at the start. It is left at the start of the data.

    Returns:
        Shape, whether the array is in Fortran order, and dtype.

    Raises:
        DataError: the header is not in the format of `numpy.save`.
    """
    try:
        version = np.lib.format.read_magic(file)
        shape, fortran_order, dtype = _HEADERS[version](file)
    # A corrupt header can raise any exception of Python's parser.
    except Exception as error:
        reason = " ".join(f"{error or type(error).__name__}".split())
        raise DataError(
            f"the file is corrupt, or not an .npy file ({reason:.80})", kind="corrupt"
        ) from error
    if any(type(length) is not int or length < 0 for length in shape):
        raise DataError(
            f"the array has invalid shape {shape}, expected nonnegative integers",
            kind="corrupt",
        )
    return shape, fortran_order, dtype


def read_npy_array(content: bytes, kinds: str = "fiu") -> np.ndarray:
    """Return the array in the content of an `.npy` file, as a view of the bytes.

    Args:
        content: content of a file written by `numpy.save`.
        kinds: supported values of `numpy.dtype.kind`, as one string.

    Raises:
        DataError: the file is not an `.npy` file, is truncated, or has another dtype.
    """
    file = io.BytesIO(content)
    shape, fortran_order, dtype = read_npy_header(file)
    if dtype.kind not in kinds or dtype.hasobject:
        raise DataError(
            f"the array has unsupported dtype {dtype}, expected "
            f"{'strings' if kinds == 'U' else 'numbers'}",
            kind="dtype",
        )
    values = memoryview(content)[file.tell() :]
    expected = dtype.itemsize
    for length in shape:
        expected *= length
    if len(values) != expected:
        raise DataError(
            f"the array has {len(values)} bytes, expected {expected} for shape {shape} "
            f"and dtype {dtype}. Copy or create the file again.",
            kind="truncated" if len(values) < expected else "corrupt",
        )
    if not expected:
        # Arrays of zero bytes can claim axes of any length.
        if 0 not in shape or max(shape) > len(content):
            raise DataError(
                f"the array has no data, but the header claims shape {shape} and dtype "
                f"{dtype}",
                kind="too-large",
            )
        return np.empty(shape, dtype)
    array = np.frombuffer(values, dtype=dtype)
    try:
        return array.reshape(shape, order="F" if fortran_order else "C")
    except ValueError as error:  # more axes than NumPy supports
        raise DataError(
            f"the array has an unsupported number of axes, {len(shape)} ({error})",
            kind="corrupt",
        ) from error


class NpyWriter:
    """Writer that appends rows to an `.npy` file.

    Args:
        path: path of a new file, or of an unfinished file to continue.
        dtype: dtype of the array.
        row_shape: shape of the array without the first axis.
        rows: number of rows to keep of an unfinished file, or None for a new file.
    """

    def __init__(
        self,
        path: Path,
        dtype: np.dtype,
        row_shape: tuple[int, ...],
        rows: int | None = None,
    ) -> None:
        self.dtype, self.row_shape, self.rows = dtype, row_shape, rows or 0
        self.file = path.open("xb" if rows is None else "r+b")
        self._write_header()
        self.start = self.file.tell()
        row_bytes = dtype.itemsize * math.prod(row_shape)
        self.file.seek(self.start + self.rows * row_bytes)
        self.file.truncate()

    def append(self, rows: np.ndarray) -> None:
        self.file.write(rows.tobytes())
        self.rows += len(rows)

    def finish(self) -> None:
        """Write the number of rows to the header, and close the file."""
        self.file.seek(0)
        self._write_header()
        # NumPy pads the header for growing numbers of rows.
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
    """Reader for rows of an `.npy` file by position. Workers can share the open file.

    Args:
        path: path of the file.
        kinds: supported values of `numpy.dtype.kind`, as one string.

    Raises:
        OSError: the file cannot be read.
        DataError: the file is corrupt, or its size does not match the header.
    """

    def __init__(self, path: str, kinds: str = "biufcSUmM") -> None:
        self.path = path
        self.file = Path(path).open("rb", buffering=0)  # noqa: SIM115  (it stays open)
        try:
            self.shape, fortran_order, self.dtype = read_npy_header(self.file)
        except DataError as error:
            raise error.at(file=path) from error
        self.offset = self.file.tell()
        if (fortran_order and len(self.shape) > 1) or not self.shape:
            raise DataError(
                "the array has no contiguous rows, expected at least one axis in C order",
                kind="shape",
                file=path,
            )
        if self.dtype.kind not in kinds or self.dtype.hasobject:
            raise DataError(
                f"the array has unsupported dtype {self.dtype}", kind="dtype", file=path
            )
        self.row_bytes = self.dtype.itemsize * math.prod(self.shape[1:])
        size = Path(path).stat().st_size - self.offset
        if self.row_bytes * self.shape[0] != size or self.shape[0] > max(size, 0):
            raise DataError(
                f"the array has {size} bytes, which do not match shape {self.shape} and "
                f"dtype {self.dtype}. Copy or create the file again.",
                kind="corrupt",
                file=path,
            )

    def __len__(self) -> int:
        return self.shape[0]

    def read(self, start: int, count: int) -> np.ndarray:
        """Read `count` rows from `start` into a new array, [count, ...].

        Raises:
            DataError: the file does not contain all of these rows.
        """
        if not 0 <= start <= start + count <= len(self):
            raise DataError(
                f"the array has {len(self)} rows, but the index refers to rows {start} "
                f"to {start + count}. Copy or pack the store again.",
                kind="corrupt",
                file=self.path,
            )
        rows = np.empty((count, *self.shape[1:]), self.dtype)
        position = self.offset + start * self.row_bytes
        if _read_at(self.file, rows.data, position) != rows.nbytes:
            raise DataError(
                f"the file was truncated before row {start + count} after it was opened. "
                "Copy or pack the store again.",
                kind="truncated",
                file=self.path,
            )
        return rows


def _read_at(file: io.FileIO, buffer: memoryview, position: int) -> int:
    """Fill a buffer from a position in a file, and return the number of bytes read."""
    if hasattr(os, "preadv"):
        return os.preadv(file.fileno(), [buffer], position)
    # On Windows, each worker opens the file, so the position is not shared.
    file.seek(position)
    return file.readinto(buffer)
