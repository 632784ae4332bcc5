"""`.npy` files a few rows at a time: written at the end, read anywhere."""

import math
import os

import numpy as np

from ..errors import DataError
from .npy import read_npy_header


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
        to_disk(self.file)
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


def to_disk(file) -> None:
    """Makes what was written last through a power cut."""
    file.flush()
    os.fsync(file.fileno())
