"""Reader for generic CSV tables with one row per frame, or per frame and person.

Columns are named by joint in any order (`left_hand_x, left_hand_y, left_hand_z`, and
optionally `left_hand_score`) or numbered in the order of the layout (`x0, y0, z0, score0,
x1, ...`). With a column `frame`, rows can be in any order, and frames can be missing. With
columns `frame` and `person`, there is one row per frame and person.
"""

import re

import numpy as np

from ..errors import DataError
from .arrays import Arrays, dimensions_of, require_layout, to_sequence
from .base import Format, ReadOptions, Sample, Source
from .mediapipe import is_landmark_table
from .table import Table, frame_numbers, number, read_header, read_table

NUMBERED = re.compile(r"(x|y|z|score)(\d{1,4})")
AXIS_Z = re.compile(r"z\d+|.*_z")
# Maximum of frames times persons per row. Sparser tables contain times or other numbers in
# the column `frame`.
MAX_SPARSITY = 100


def _read(source: Source, options: ReadOptions) -> list[Sample]:
    layout, channels = require_layout(options), dimensions_of(options)
    if channels is None:
        header = read_header(source.content)
        channels = 3 if any(map(AXIS_Z.fullmatch, header)) else 2
    arrays = read_csv(source.content, layout.joints, channels)
    return [
        to_sequence(
            arrays,
            source.id,
            layout.joints,
            options.unit,
            options.img_shape,
            options.missing_marker,
        )
    ]


def read_csv(content: bytes, joints: tuple[str, ...], channels: int) -> Arrays:
    """Parse a CSV table of joint coordinates.

    Args:
        content: CSV in UTF-8. Empty cells and NaN are missing values.
        joints: names of the V joints, in the order of the layout.
        channels: number of coordinates C, 2 or 3.

    Returns:
        Coordinates, scores if the table has them, and lines. Rows that are missing in the
        table are NaN.

    Raises:
        DataError: the table is invalid. The error contains the line number.
    """
    table = read_table(content)
    columns = _columns(table.header, joints, "xyz"[:channels])
    table.check_rows()
    if not table.rows:
        raise DataError(
            "the table has a header but no rows, expected one row per frame",
            kind="empty",
        )
    numbers = np.array(
        [
            [number(row[column], line) for column in columns]
            for row, line in zip(table.rows, table.lines, strict=True)
        ]
    )  # (rows, columns in order of joint and axis)
    scored = numbers.shape[1] == len(joints) * (channels + 1)
    numbers = numbers.reshape(len(table.rows), len(joints), channels + scored)
    people, frames = _persons_and_frames(table)
    persons, length = max(people) + 1, max(frames) + 1
    if persons * length > MAX_SPARSITY * len(table.rows) + 1000:
        raise DataError(
            f"the table has {len(table.rows)} rows, but columns 'frame' and 'person' span "
            f"{length} frames and {persons} persons. Number the frames consecutively, and "
            "do not use times as frame numbers.",
            kind="frame-numbers",
            field="frame",
        )
    values = np.full((persons, length, *numbers.shape[1:]), np.nan)
    values[people, frames] = numbers
    lines = np.zeros((persons, length), dtype=int)
    lines[people, frames] = table.lines
    gaps = int(np.sum(~lines.any(axis=0)))
    notes = {"frames without a row, written as zero": gaps} if gaps else {}
    scores = values[..., channels] if scored else None
    return Arrays(values[..., :channels], scores, lines, notes)


def joint_name(joint: str) -> str:
    """Return the name of a joint in the names of columns."""
    return re.sub(r"[\s-]+", "_", joint.lower())


def _columns(header: list[str], joints: tuple[str, ...], axes: str) -> list[int]:
    """Return the column index of each number, in order of joint and axis."""
    names = [name for name in header if name not in ("frame", "person")]
    if names and all(map(NUMBERED.fullmatch, names)):
        templates = [f"{{}}{number}" for number in range(len(joints))]
        description = f"joints 0 to {len(joints) - 1} (such as x0)"
    else:
        templates = [f"{joint_name(joint)}_{{}}" for joint in joints]
        example = templates[0].format("x")
        description = f"joints {', '.join(joints)} (such as {example})"
    required = [template.format(axis) for template in templates for axis in axes]
    scores = [template.format("score") for template in templates]
    scored = any(name in header for name in scores)
    known = {*required, *scores}
    unknown = [name for name in names if name not in known]
    missing = [name for name in required + scores * scored if name not in header]
    if unknown or missing:
        parts = [f"column {name!r:.80} is unknown" for name in unknown[:1]]
        parts += [f"column {name!r:.80} is missing" for name in missing[:1]]
        raise DataError(
            f"{' and '.join(parts)} ({len(unknown)} unknown, {len(missing)} missing). "
            f"Provide {', '.join(axes)} of {description}, scores of all joints or none, "
            "and optionally 'frame' and 'person'.",
            kind="columns",
            line=1,
        )
    order = (*axes, "score") if scored else axes
    return [
        header.index(template.format(axis)) for template in templates for axis in order
    ]


def _persons_and_frames(table: Table) -> tuple[list[int], list[int]]:
    """Return the person and the frame of each row, both starting at 0."""
    header, rows, lines = table
    if "frame" not in header:
        if "person" in header:
            raise DataError(
                "column 'person' requires a column 'frame'. Add the frame number of each "
                "row.",
                kind="columns",
                line=1,
            )
        return [0] * len(rows), list(range(len(rows)))
    frames = frame_numbers(table)
    first = min(frames)
    frames = [frame - first for frame in frames]
    people = [0] * len(rows)
    if "person" in header:
        names = [row[header.index("person")].strip() for row in rows]
        numbers = {name: number for number, name in enumerate(dict.fromkeys(names))}
        people = [numbers[name] for name in names]
    first_lines: dict[tuple[int, int], int] = {}
    for key, line in zip(zip(people, frames, strict=True), lines, strict=True):
        if key in first_lines:
            raise DataError(
                f"the row has the same frame and person as line {first_lines[key]}, "
                "expected one row per frame and person",
                kind="duplicate",
                line=line,
            )
        first_lines[key] = line
    return people, frames


def _detect(source: Source) -> bool:
    header = read_header(source.first_line)
    if {"sample", "label"} <= set(header):
        return False  # a data set, see `sample_table`
    if not is_landmark_table(header):
        return True
    # A table of 33 numbered joints without visibility is ambiguous.
    names = set(header) - {"frame", "person"}
    return all(map(NUMBERED.fullmatch, names)) and "x0" in header


FORMAT = Format(
    name="csv",
    title="Table of joints with one row per frame, or per frame and person",
    keeps="joints, scores in 2D",
    suffixes=(".csv",),
    detect=_detect,
    read=_read,
    needs=("layout", "unit"),
)
