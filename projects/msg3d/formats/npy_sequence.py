"""A sequence as one NumPy array in a .npy file."""

import numpy as np

from ..errors import DataError
from ..io.npy import array_of_npy
from .sequence_arrays import Sequence


def read_npy(content: bytes, joints: int, channels: int) -> Sequence:
    """The array of a .npy file; nothing in it is ever executed.

    Args:
        content: the file: numbers [T, V, C] or [M, T, V, C], NaN for missing ones. A
            last axis one longer than C holds the score of each joint, for 2D.
        joints: V.
        channels: C.

    Raises:
        DataError: not such a file, cut off, or of another shape or type.
    """
    try:
        array = array_of_npy(content)
    except ValueError as error:
        raise DataError(str(error)) from error
    expected = f"expected [T, {joints}, {channels}] or [M, T, {joints}, {channels}]"
    scored = channels == 2 and array.ndim > 2 and array.shape[-1] == 3
    if (
        array.ndim not in (3, 4)
        or 0 in array.shape
        or array.shape[-2:] != (joints, channels + scored)
    ):
        more = f", or {channels + 1} channels with the score" if channels == 2 else ""
        raise DataError(f"holds an array of shape {array.shape}, {expected}{more}")
    array = array.reshape(-1, *array.shape[-3:]).astype(np.float64)
    if scored:
        return Sequence(array[..., :2], array[..., 2])
    return Sequence(array)
