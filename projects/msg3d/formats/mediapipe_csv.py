"""MediaPipe Pose's results as a csv table, a file a video and a line a frame.

The columns are `x0,y0,z0,v0` to `x32,y32,z32,v32`, or 1 to 33; `z` and `v` (visibility)
may be missing, and other columns are not looked at. A line whose cells for them are all
empty is a frame without anybody; a blank line is none, since programs on Windows leave
them between the others. A column `frame` says where frames are missing.
"""

import csv
import io
import re

import numpy as np

from ..errors import DataError
from .mediapipe_json import JOINTS, Landmarks

COLUMN = re.compile(r"([xyzv])(\d{1,2})")


def read_landmark_table(content: bytes) -> Landmarks:
    """The landmarks of a csv file, of the image or the world as it has them.

    Raises:
        DataError: the first line that is not as above.
    """
    try:
        text = content.decode("utf-8-sig")
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"is no csv in UTF-8 ({error})") from error
    header = [name.strip().lower() for name in rows[0]] if rows else []
    cells, joints, axes = _columns(header)
    counter = header.index("frame") if "frame" in header else None
    numbers, frames, values, lines = [], [], [], []
    for line, row in enumerate(rows[1:], 2):
        if not row:
            continue
        if len(row) != len(header):
            raise DataError(
                f"has {len(row)} cells, expected {len(header)} as the header", line=line
            )
        number = len(numbers)
        if counter is not None:
            number = _frame(row[counter].strip(), numbers, line)
        numbers.append(number)
        found = [row[place].strip() for place in cells]
        if any(found):
            frames.append(number)
            values.append(found)
            lines.append(line)
    persons = np.zeros((len(values), JOINTS, 4), dtype=np.float32)
    persons[..., 3] = 1
    if values:
        persons[:, joints, axes] = _numbers(values, lines)
    return Landmarks(numbers, frames, persons, persons)


def _columns(header: list[str]) -> tuple[list[int], list[int], list[int]]:
    """Places in the header of the landmarks' numbers, their joints and axes."""
    known = {}
    for place, name in enumerate(header):
        match = COLUMN.fullmatch(name)
        if match is not None:
            if (match[1], int(match[2])) in known:
                raise DataError(f"has the column {name} twice", line=1)
            known[match[1], int(match[2])] = place
    first = 0 if ("x", 0) in known else 1
    wanted = range(first, first + JOINTS)
    for axis in "xyzv":
        there = {joint for one, joint in known if one == axis}
        if there != set(wanted) and (there or axis in "xy"):
            raise DataError(
                f"has columns {axis} of {len(there)} landmarks, expected {axis}{first} "
                f"to {axis}{first + JOINTS - 1}",
                line=1,
            )
    joints = [joint - first for _, joint in known]
    return list(known.values()), joints, ["xyzv".index(axis) for axis, _ in known]


def _frame(cell: str, before: list[int], line: int) -> int:
    if not cell.isdecimal() or len(cell) > 18:
        raise DataError(f"frame is {cell[:40]!r}, expected a number", line=line)
    if before and int(cell) <= before[-1]:
        raise DataError(f"frame is {cell}, expected more than {before[-1]}", line=line)
    return int(cell)


def _numbers(values: list[list[str]], lines: list[int]) -> np.ndarray:
    """The cells of all persons as float32, each known to be finite."""
    rows = []
    for found, line in zip(values, lines):
        wrong = next((cell for cell in found if not _is_number(cell)), None)
        if wrong is not None:
            raise DataError(
                f"holds {wrong[:40]!r}, expected numbers, or none at all for nobody",
                line=line,
            )
        rows.append([float(cell) for cell in found])
    with np.errstate(over="ignore"):
        array = np.array(rows, dtype=np.float64).astype(np.float32)
    finite = np.isfinite(array).all(axis=1)
    if not finite.all():
        line = lines[int(np.argmin(finite))]
        raise DataError("holds NaN, infinity or a number beyond float32", line=line)
    return array


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    # Python reads 1_0 as 10.
    return "_" not in cell
