"""Reader for MSR-Action3D skeleton files (Li, Zhang and Liu, CVPR Workshops 2010).

Each text file is a sequence with 20 lines `x y z confidence` per frame, one per joint. The
joints are in meters and in a custom order. Frames without any joint are removed.
"""

import numpy as np

from ..errors import DataError, SkipFile
from ..io.number_lines import as_float32, read_number_lines
from .base import Format, ReadOptions, Sample, Source

LAYOUT = "kinect20"
JOINTS, FIELDS = 20, 4
# Number of each joint in the layout, from 1, in the order of the file.
ORDER = np.array(
    [5, 9, 3, 2, 13, 17, 1, 6, 10, 7, 11, 8, 12, 14, 18, 15, 19, 16, 20, 4]
)
ORDER -= 1


def read_frames(content: bytes) -> tuple[np.ndarray, dict[str, int]]:
    """Parse an MSR-Action3D text file.

    Returns:
        Keypoints in meters, float32 [1, T, 20, 3], and notes that map the description of
        a change to its count.

    Raises:
        DataError: a line is invalid. Truncation between two frames is not detected.
        SkipFile: no frame has a joint.
    """
    lines = read_number_lines(content, FIELDS)
    frames, rest = divmod(len(lines), JOINTS)
    if rest:
        raise DataError(
            f"frame {frames} has {rest} lines, expected {JOINTS}. The file is truncated.",
            kind="truncated",
            line=len(lines),
        )
    raw = as_float32(lines[:, :3].reshape(frames, JOINTS, 3), lines_per_frame=JOINTS)
    keypoint = np.empty_like(raw)
    keypoint[:, ORDER] = raw
    tracked = keypoint.any(axis=(1, 2))
    if not tracked.any():
        raise SkipFile("no joint in any frame")
    empty = int(np.sum(~tracked))
    notes = {"frames without any joint (removed)": empty} if empty else {}
    return keypoint[tracked][None], notes


def _detect(source: Source) -> bool:
    """Return whether each line of the first frame has four numbers."""
    lines = source.content[: 200 * JOINTS].splitlines()[:JOINTS]
    try:
        return [
            len([float(field) for field in line.split()]) for line in lines
        ] == JOINTS * [FIELDS]
    except ValueError:
        return False


def _read(source: Source, options: ReadOptions) -> list[Sample]:
    keypoint, notes = read_frames(source.content)
    sequence = {
        "frame_dir": source.id,
        "keypoint": keypoint,
        "layout": LAYOUT,
        "unit": "m",
        "notes": notes,
    }
    return [sequence]


FORMAT = Format(
    name="msr_action3d",
    title="MSR-Action3D sequences",
    keeps="joints in meters",
    suffixes=(".txt",),
    detect=_detect,
    read=_read,
)
