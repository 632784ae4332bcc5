"""Generic CSV table: one row per frame, or one row per frame and person.

The header names the columns: `left_hand_x, left_hand_y, left_hand_z` and optionally
`left_hand_score` for every joint, in any order; or numbers them in the order of the
layout, `x0, y0, z0, score0, x1, ...`. With a column `frame`, rows may come in any order
and frames may be missing; with `frame` and `person`, each person has rows of its own.
"""

import re

import numpy as np

from ..errors import DataError
from .arrays import Arrays, dimensions_of, needed_layout, to_sequence
from .base import Format, ReadOptions, Sample, Source
from .mediapipe import is_landmark_table
from .table import Table, frame_numbers, number, read_header, read_table

NUMBERED = re.compile(r"(x|y|z|score)(\d{1,4})")
AXIS_Z = re.compile(r"z\d+|.*_z")
# Frames times persons for each row: more means that the column `frame` contains times
# or other numbers.
SPARSEST = 100


def _read(source: Source, options: ReadOptions) -> list[Sample]:
    layout, channels = needed_layout(options), dimensions_of(options)
    if channels is None:
        header = read_header(source.content)
        channels = 3 if any(map(AXIS_Z.fullmatch, header)) else 2
    arrays = read_csv(source.content, layout.joints, channels)
    return [
        to_sequence(arrays, source.id, layout.joints, options.unit, options.img_shape)
    ]


def read_csv(content: bytes, joints: tuple[str, ...], channels: int) -> Arrays:
    """Read a table of the coordinates of joints.

    Args:
        content: CSV in UTF-8; an empty cell or NaN for what is missing.
        joints: names of the V joints, in the order of the layout.
        channels: C, 2 or 3.

    Raises:
        DataError: the file is not such a table; the error gives the line.
    """
    table = read_table(content)
    columns = _columns(table.header, joints, "xyz"[:channels])
    table.check_rows()
    if not table.rows:
        raise DataError("has a header only, expected rows of frames", kind="empty")
    numbers = np.array(
        [
            [number(row[column], line) for column in columns]
            for row, line in zip(table.rows, table.lines, strict=True)
        ]
    )  # [rows, columns in order of joint and axis]
    scored = numbers.shape[1] == len(joints) * (channels + 1)
    numbers = numbers.reshape(len(table.rows), len(joints), channels + scored)
    people, frames = _places(table)
    persons, length = max(people) + 1, max(frames) + 1
    if persons * length > SPARSEST * len(table.rows) + 1000:
        raise DataError(
            f"{len(table.rows)} rows are {length} frames of {persons} persons in the "
            "columns frame and person. Number the frames one by one; times are not "
            "frame numbers",
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


def _columns(header: list[str], joints: tuple[str, ...], axes: str) -> list[int]:
    """Return the position of each number of each joint, by joint and axis."""
    named = [name for name in header if name not in ("frame", "person")]
    if named and all(map(NUMBERED.fullmatch, named)):
        forms = [f"{{}}{place}" for place in range(len(joints))]
        which = f"joints 0 to {len(joints) - 1}, as in x0"
    else:
        plain = [re.sub(r"[\s-]+", "_", joint.lower()) for joint in joints]
        forms = [f"{joint}_{{}}" for joint in plain]
        which = f"joints {', '.join(joints)}, as in {forms[0].format('x')}"
    wanted = [form.format(axis) for form in forms for axis in axes]
    scores = [form.format("score") for form in forms]
    scored = any(name in header for name in scores)
    known = {*wanted, *scores}
    unknown = [name for name in named if name not in known]
    missing = [name for name in wanted + scores * scored if name not in header]
    if unknown or missing:
        parts = [f"column {name!r:.80} is unknown" for name in unknown[:1]]
        parts += [f"column {name!r:.80} is missing" for name in missing[:1]]
        raise DataError(
            f"{' and '.join(parts)} ({len(unknown)} unknown, {len(missing)} missing). "
            f"Expected {', '.join(axes)} of the {which}, scores of all joints or none, "
            "and optionally frame and person",
            kind="columns",
            line=1,
        )
    order = (*axes, "score") if scored else axes
    return [header.index(form.format(axis)) for form in forms for axis in order]


def _places(table: Table) -> tuple[list[int], list[int]]:
    """Return person and frame of each row, both from 0."""
    header, rows, lines = table
    if "frame" not in header:
        if "person" in header:
            raise DataError(
                "has a column person but no column frame. Add it: rows of several "
                "persons belong together by the frame",
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
        numbers = {name: place for place, name in enumerate(dict.fromkeys(names))}
        people = [numbers[name] for name in names]
    seen: dict[tuple[int, int], int] = {}
    for place, line in zip(zip(people, frames, strict=True), lines, strict=True):
        if place in seen:
            raise DataError(
                f"has the frame and person of line {seen[place]}, expected each once",
                kind="duplicate",
                line=line,
            )
        seen[place] = line
    return people, frames


def _detect(source: Source) -> bool:
    header = read_header(source.content)
    if not is_landmark_table(header):
        return True
    # A table of 33 numbered joints without visibility can be either.
    own = all(NUMBERED.fullmatch(name) for name in set(header) - {"frame", "person"})
    return own and "x0" in header


FORMAT = Format(
    name="csv",
    title="Table of joints, one row per frame, or per frame and person",
    suffixes=(".csv",),
    detect=_detect,
    read=_read,
    needs=("layout", "unit"),
)
