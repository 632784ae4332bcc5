"""Tests of MATLAB files: values written by SciPy, and corrupt files."""

import io
import zlib

import numpy as np
import pytest
from scipy.io import loadmat, savemat

from errors import raises
from msg3d.io import mat_file
from msg3d.io.mat_file import read_mat

VALUES = {
    "number": 3.5,
    "table": np.arange(12.0).reshape(3, 4) / 7,
    "integers": np.arange(6, dtype=np.int16).reshape(2, 3),
    "large": np.array([[2**40]], np.int64),
    "cube": np.arange(24.0).reshape(2, 3, 4),
    "empty": np.zeros((0, 13)),
    "flag": np.array([[True, False]]),
    "word": "clean_and_jerk",
    "letter": "a",
}


def mat(values=VALUES, **options):
    file = io.BytesIO()
    savemat(file, values, **options)
    return file.getvalue()


@pytest.mark.parametrize("do_compression", [False, True])
def test_values_are_equal_to_scipy(do_compression):
    content = mat(do_compression=do_compression)
    expected = loadmat(io.BytesIO(content))
    values = read_mat(content)
    assert values.keys() == VALUES.keys()
    for name, value in values.items():
        if isinstance(value, str):
            assert value == VALUES[name]
            continue
        assert value.dtype == np.float64
        np.testing.assert_array_equal(value, expected[name])


def test_other_classes_are_omitted():
    values = {
        "x": 1.0,
        "cell": np.array([["a", 1]], object),
        "struct": {"a": 1},
        "z": 1j,
    }
    assert list(read_mat(mat(values))) == ["x"]


@pytest.mark.parametrize("do_compression", [False, True])
def test_truncation_at_any_byte(do_compression):
    content = mat(do_compression=do_compression)
    successes, kinds = 0, set()
    for end in range(128, len(content)):
        try:
            read_mat(content[:end])
            successes += 1
        except ValueError as error:
            kinds.add(error.kind)
    assert kinds <= {"truncated", "corrupt"}
    # Truncation between two variables, or in the final padding, is not detected.
    assert successes <= len(VALUES) + 8


def test_decompression_is_limited(monkeypatch):
    content = mat({"x": np.zeros((100, 100))}, do_compression=True)
    monkeypatch.setattr(mat_file, "MAX_BYTES", 80_000)
    with raises("too-large"):
        read_mat(content)
    data = zlib.compress(mat({"x": 1.0})[128:] * 2)
    size = len(data).to_bytes(4, "little")
    with raises("corrupt"):
        read_mat(content[:128] + b"\x0f\0\0\0" + size + data)


@pytest.mark.parametrize("content", [b"", b"\x89HDF" + bytes(200), b"MATLAB" * 30])
def test_other_file_types(content):
    with raises("wrong-file-type"):
        read_mat(content)
