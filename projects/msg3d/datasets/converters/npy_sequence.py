"""A sequence as one NumPy array in a .npy file."""

import io

import numpy as np

from .parse_files import BadFile
from .sequence_arrays import Sequence

_HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


def read_npy(content: bytes, joints: int, channels: int) -> Sequence:
    """The array of a .npy file; nothing in it is ever executed.

    Args:
        content: the file: numbers [T, V, C] or [M, T, V, C], NaN for missing ones. A
            last axis one longer than C holds the score of each joint, for 2D.
        joints: V.
        channels: C.

    Raises:
        BadFile: not such a file, cut off, or of another shape or type.
    """
    array = _array(content)
    expected = f"expected [T, {joints}, {channels}] or [M, T, {joints}, {channels}]"
    scored = channels == 2 and array.ndim > 2 and array.shape[-1] == 3
    if (
        array.ndim not in (3, 4)
        or 0 in array.shape
        or array.shape[-2:] != (joints, channels + scored)
    ):
        more = f", or {channels + 1} channels with the score" if channels == 2 else ""
        raise BadFile(f"holds an array of shape {array.shape}, {expected}{more}")
    array = array.reshape(-1, *array.shape[-3:]).astype(np.float64)
    if scored:
        return Sequence(array[..., :2], array[..., 2])
    return Sequence(array)


def _array(content: bytes) -> np.ndarray:
    file = io.BytesIO(content)
    try:
        version = np.lib.format.read_magic(file)
        shape, by_columns, dtype = _HEADERS[version](file)
    # A damaged header raises whatever Python's own parser does.
    except Exception as error:
        raise BadFile(
            f"is no .npy file as numpy.save writes it ({error or type(error).__name__})".replace(
                "\n", " "
            )
        ) from error
    if dtype.kind not in "fiu":
        raise BadFile(f"holds an array of type {dtype}, expected numbers")
    values = content[file.tell() :]
    wanted = dtype.itemsize
    for length in shape:
        wanted *= length
    if len(values) != wanted:
        raise BadFile(
            f"has {len(values)} bytes of numbers, expected {wanted} for an array of "
            f"shape {shape} and type {dtype}: it is cut off or damaged"
        )
    array = np.frombuffer(values, dtype=dtype)
    return array.reshape(shape, order="F" if by_columns else "C")
