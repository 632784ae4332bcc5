"""A sequence as one NumPy array in a `.npy` file.

[T, V, C] or [M, T, V, C], NaN for what is missing. In 2D, a third channel is the score of
each joint.
"""

import numpy as np

from ..errors import DataError
from ..io.npy import array_of_npy
from .arrays import Arrays, dimensions_of, needed_layout, to_sequence
from .base import Format, ReadOptions, Sample, Source


def _read(source: Source, options: ReadOptions) -> list[Sample]:
    joints, known = needed_layout(options).joints, dimensions_of(options)
    choices = (3, 2) if known is None else (known,)
    for channels in choices:
        try:
            arrays = read_npy(source.content, len(joints), channels)
        except DataError:
            if channels == choices[-1]:
                raise
        else:
            break
    return [to_sequence(arrays, source.id, joints, options.unit, options.img_shape)]


def read_npy(content: bytes, joints: int, channels: int) -> Arrays:
    """Read the array of a .npy file without executing anything.

    Args:
        content: the file.
        joints: V.
        channels: C, 2 or 3.

    Raises:
        DataError: not such a file, truncated, or of another shape or type.
    """
    array = array_of_npy(content)
    scored = channels == 2 and array.ndim > 2 and array.shape[-1] == 3
    if (
        array.ndim not in (3, 4)
        or 0 in array.shape
        or array.shape[-2:] != (joints, channels + scored)
    ):
        more = ", or 3 channels with the score" if channels == 2 else ""
        raise DataError(
            f"contains an array of shape {array.shape}, expected [T, {joints}, "
            f"{channels}] or [M, T, {joints}, {channels}]{more}",
            kind="shape",
        )
    array = array.reshape(-1, *array.shape[-3:]).astype(np.float64)
    if scored:
        return Arrays(array[..., :2], array[..., 2])
    return Arrays(array)


FORMAT = Format(
    name="npy",
    title="NumPy array [T, V, C] or [M, T, V, C]",
    suffixes=(".npy",),
    detect=lambda source: True,
    read=_read,
    needs=("layout", "unit"),
)
