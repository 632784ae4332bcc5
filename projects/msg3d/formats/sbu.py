"""Reader for SBU Kinect Interaction skeleton files (Yun et al., CVPR Workshops 2012).

Each text file is a sequence with one line per frame. A line has 91 fields separated by
commas, the frame number and (x, y, z) of 15 joints of the first and of the second person.

The coordinates are world coordinates scaled to the image. x and y are in 0..1, y down. One
unit is 2.56 m in x, 1.92 m in y, and 1.28 m in z. The authors' formula inverts the scaling:
x' = 1280 - 2560 x, y' = 960 - 1920 y, z' = 10000 z / 7.8125, in millimeters, with y up and
x to the left of the image. The converted bones have a nearly constant length. The distance
from neck to torso varies by 0.1% within a sequence (median), compared with 1% as released.
"""

import numpy as np

from ..errors import DataError
from ..io.number_lines import as_float32, read_number_lines
from .base import Format, ReadOptions, Sample, Source

LAYOUT = "sbu15"
PERSONS, JOINTS = 2, 15
FIELDS = 1 + PERSONS * JOINTS * 3
_OFFSET = np.array([1.28, 0.96, 0])
_SCALE = np.array([-2.56, -1.92, 1.28])


def read_frames(
    content: bytes, unit: str = "unscaled"
) -> tuple[np.ndarray, dict[str, int]]:
    """Parse an SBU `skeleton_pos.txt` file.

    Args:
        content: content of the file.
        unit: "unscaled" for the coordinates as released, or "m" for meters.

    Returns:
        Keypoints in `unit`, float32 [2, T, 15, 3], and notes that map the description of
        an irregularity to its count.

    Raises:
        DataError: a line is invalid. Truncation between two frames is not detected.
    """
    lines = read_number_lines(content, FIELDS, separator=",")
    numbers = lines[:, 0]
    invalid = numbers != np.floor(numbers)
    if invalid.any():
        line = int(np.argmax(invalid))
        raise DataError(
            f"the first field is {numbers[line]:g}, expected an integer frame number",
            kind="frame-numbers",
            line=line + 1,
        )
    coordinates = lines[:, 1:].reshape(-1, PERSONS, JOINTS, 3)
    if unit == "m":
        present = coordinates.any(axis=-1, keepdims=True)
        coordinates = (coordinates * _SCALE + _OFFSET) * present
    keypoint = as_float32(coordinates).swapaxes(0, 1).copy()  # (M, T, V, C)
    if not keypoint.any():
        raise DataError(
            f"all joints are zero in all {len(lines)} frames (no person detected). Remove "
            "the file.",
            kind="no-person",
        )
    jumps = int(np.sum(np.diff(numbers) != 1))
    note = "frame numbers that do not follow the previous number (all frames are kept)"
    return keypoint, {note: jumps} if jumps else {}


def _detect(source: Source) -> bool:
    """Return whether the first line has 91 numbers."""
    fields = source.content[: 100 * FIELDS].partition(b"\n")[0].split(b",")
    try:
        return len([float(field) for field in fields]) == FIELDS
    except ValueError:
        return False


def _read(source: Source, options: ReadOptions) -> list[Sample]:
    unit = "m" if options.unit == "m" else "unscaled"
    keypoint, notes = read_frames(source.content, unit)
    sequence = {
        "frame_dir": source.id,
        "keypoint": keypoint,
        "layout": LAYOUT,
        "unit": unit,
        "notes": notes,
    }
    return [dict(sequence, y_down=True) if unit == "unscaled" else sequence]


FORMAT = Format(
    name="sbu",
    title="SBU Kinect Interaction sequences",
    keeps="joints of both persons",
    suffixes=(".txt",),
    detect=_detect,
    read=_read,
)
