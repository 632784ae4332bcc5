"""Compact columns of values, for the state of millions of samples."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

__all__ = ["Column"]

# Rows that are kept as Python objects before they become part of an array.
CHUNK = 4096


class Column:
    """Growing array with one row per sample.

    Rows are collected in chunks of arrays, which are joined when they are read.

    Args:
        dtype: dtype of the values. By default, NumPy chooses it for all rows together.
    """

    def __init__(self, dtype: DTypeLike | None = None) -> None:
        self.dtype = dtype
        self._chunks: list[np.ndarray] = []
        self._new: list[Any] = []

    def append(self, row: Any) -> None:
        """Append a number, or an array of the same shape as all other rows."""
        self.extend([row])

    def extend(self, rows: Sequence[Any]) -> None:
        """Append several rows."""
        self._new += rows
        if len(self._new) >= CHUNK:
            self._join_new()

    @property
    def array(self) -> np.ndarray:
        """All rows, [rows, ...]; [0] without rows."""
        if self._new or not self._chunks:
            self._join_new()
        if len(self._chunks) > 1:
            self._chunks = [np.concatenate(self._chunks)]
        return self._chunks[0]

    def _join_new(self) -> None:
        self._chunks.append(np.array(self._new, self.dtype))
        self._new = []
