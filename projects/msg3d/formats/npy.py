"""Reader for sequences stored as NumPy arrays in `.npy` files.

The shape is [T, V, C] or [M, T, V, C], and missing values are NaN. In 2D, a third channel
is the score of each joint.
"""

import numpy as np

from ..errors import DataError
from ..io.npy import read_npy_array
from .arrays import Arrays, dimensions_of, require_layout, to_sequence
from .base import Format, ReadOptions, Sample, Source
from .stgcn import is_data_set


def _read(source: Source, options: ReadOptions) -> list[Sample]:
    joints, dimensions = require_layout(options).joints, dimensions_of(options)
    choices = (3, 2) if dimensions is None else (dimensions,)
    for channels in choices:
        try:
            arrays = read_npy(source.content, len(joints), channels)
        except DataError:
            if channels == choices[-1]:
                raise
        else:
            break
    return [
        to_sequence(
            arrays,
            source.id,
            joints,
            options.unit,
            options.img_shape,
            options.missing_marker,
        )
    ]


def read_npy(content: bytes, joints: int, channels: int) -> Arrays:
    """Read a sequence from an `.npy` file. Pickled objects are rejected.

    Args:
        content: content of the file.
        joints: number of joints, V.
        channels: number of coordinates, C, 2 or 3.

    Returns:
        Coordinates, and scores if a 2D array has a third channel.

    Raises:
        DataError: the file is not an `.npy` file, is truncated, or has another shape or
            data type.
    """
    array = read_npy_array(content)
    scored = channels == 2 and array.ndim > 2 and array.shape[-1] == 3
    if (
        array.ndim not in (3, 4)
        or 0 in array.shape
        or array.shape[-2:] != (joints, channels + scored)
    ):
        alternative = ", or 3 channels including the score" if channels == 2 else ""
        raise DataError(
            f"the array has shape {array.shape}, expected [T, {joints}, {channels}] or "
            f"[M, T, {joints}, {channels}]{alternative}",
            kind="shape",
        )
    array = array.reshape(-1, *array.shape[-3:]).astype(np.float64)
    if scored:
        return Arrays(array[..., :2], array[..., 2])
    return Arrays(array)


FORMAT = Format(
    name="npy",
    title="NumPy array [T, V, C] or [M, T, V, C]",
    keeps="joints, scores in 2D",
    suffixes=(".npy",),
    detect=lambda source: not is_data_set(source),
    read=_read,
    needs=("layout", "unit"),
)
