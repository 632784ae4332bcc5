"""`.npy` files a few rows at a time: written at the end, read anywhere."""

import os

import numpy as np

from .annotation_check import AnnotationError


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

    Raises:
        OSError, ValueError, EOFError: the file cannot be read, or is damaged.
    """

    def __init__(self, path: str) -> None:
        # numpy reads the header; the mapping itself is dropped unused.
        mapped = np.load(path, mmap_mode="r")
        self.shape, self.dtype, self.offset = mapped.shape, mapped.dtype, mapped.offset
        self.row_bytes = mapped[:1].nbytes
        self.file = open(path, "rb", buffering=0)

    def read(self, start: int, count: int) -> np.ndarray:
        """Rows from `start` on, in an array of their own [count, ...]."""
        rows = np.empty((count, *self.shape[1:]), self.dtype)
        place = self.offset + start * self.row_bytes
        if os.preadv(self.file.fileno(), [rows], place) != rows.nbytes:
            raise AnnotationError(
                f"packed store: {self.file.name} ends before row {start + count}, "
                "which was there when it was opened: copy or pack it again"
            )
        return rows


def to_disk(file) -> None:
    """Makes what was written last through a power cut."""
    file.flush()
    os.fsync(file.fileno())
