"""Tests of reading rows of `.npy` files."""

import os

import numpy as np
import pytest

from msg3d.io.npy import NpyRows


@pytest.mark.parametrize("preadv", [True, False])
def test_rows_with_and_without_preadv(tmp_path, monkeypatch, preadv):
    if not preadv:  # as on Windows
        monkeypatch.delattr(os, "preadv", raising=False)
    array = np.arange(60, dtype=np.float32).reshape(10, 3, 2)
    np.save(tmp_path / "a.npy", array)
    rows = NpyRows(str(tmp_path / "a.npy"))
    for start, count in ((7, 3), (0, 4), (2, 0), (9, 1)):
        actual = rows.read(start, count)
        assert actual.dtype == array.dtype
        np.testing.assert_array_equal(actual, array[start : start + count])
