"""A sequence as a table: a row a frame, or a row a frame and person.

The header names the columns: `left_hand_x, left_hand_y, left_hand_z` and where wanted
`left_hand_score` for every joint, in any order; or by number, `x0, y0, z0, score0, x1,
...`, in the layout's. With a column `frame` rows may come in any order and frames may
have none; with `frame` and `person` there is a row for each person in a frame.
"""

import csv
import io
import re
from collections import Counter

import numpy as np

from ..errors import DataError
from .sequence_arrays import Sequence

NUMBERED = re.compile(r"(x|y|z|score)(\d{1,4})")
DELIMITERS = ",;\t"
# Frames times persons, for each row that there is: more means that the column holds
# times, or numbers of another kind.
SPARSEST = 100


def read_csv(content: bytes, joints: tuple[str, ...], channels: int) -> Sequence:
    """The table of a .csv file.

    Args:
        content: UTF-8; commas, semicolons or tabs between cells; an empty cell or NaN
            for what is missing.
        joints: names of the V joints, in the layout's order.
        channels: C, 2 or 3.

    Raises:
        DataError: the line, what was found and what was expected.
    """
    header, rows, lines = _cells(content)
    axes = "xyz"[:channels]
    columns = _columns(header, joints, axes)
    numbers = np.array(
        [_numbers(row, line, len(header), columns) for row, line in zip(rows, lines)]
    )  # [rows, columns in order of joint and axis]
    scored = numbers.shape[1] == len(joints) * (channels + 1)
    table = numbers.reshape(len(rows), len(joints), channels + scored)
    people, frames = _places(header, rows, lines)
    persons, length = max(people) + 1, max(frames) + 1
    if persons * length > SPARSEST * len(rows) + 1000:
        raise DataError(
            f"{len(rows)} rows are {length} frames of {persons} persons by the columns "
            "frame and person: expected frames counted one by one, not times"
        )
    every = np.full((persons, length, *table.shape[1:]), np.nan)
    every[people, frames] = table
    line_of = np.zeros((persons, length), dtype=int)
    line_of[people, frames] = lines
    gaps = int(np.sum(~line_of.any(axis=0)))
    notes = {"frames without a row, written as zero": gaps} if gaps else {}
    return Sequence(
        every[..., :channels], every[..., channels] if scored else None, line_of, notes
    )


def _cells(content: bytes) -> tuple[list[str], list[list[str]], list[int]]:
    """The names in the header, the cells of each row, and its line."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(
            f"byte {error.start} is not UTF-8: save it as CSV in UTF-8",
            line=content.count(b"\n", 0, error.start) + 1,
        ) from None
    first = text.partition("\n")[0]
    delimiter = max(DELIMITERS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    rows, lines = [], []
    try:
        for row in reader:
            rows.append(row)
            lines.append(reader.line_num)
    except csv.Error as error:
        raise DataError(f"is no CSV ({error})", line=reader.line_num) from None
    while rows and not rows[-1]:
        rows.pop()
    if len(rows) < 2:
        raise DataError(
            f"has {len(rows)} lines, expected a header and at least one frame"
        )
    return list(map(_plain, rows[0])), rows[1:], lines[1 : len(rows)]


def _plain(name: str) -> str:
    """`Left Hand` and `left-hand` as `left_hand`."""
    return re.sub(r"[\s-]+", "_", name.strip().lower())


def _columns(header: list[str], joints: tuple[str, ...], axes: str) -> list[int]:
    """Where each number of each joint stands, in order of joint and axis."""
    named = [name for name in header if name not in ("frame", "person")]
    if named and all(map(NUMBERED.fullmatch, named)):
        forms = [f"{{}}{number}" for number in range(len(joints))]
        which = f"joints 0 to {len(joints) - 1}, as in x0"
    else:
        forms = [f"{_plain(joint)}_{{}}" for joint in joints]
        which = f"joints {', '.join(joints)}, as in {forms[0].format('x')}"
    wanted = [form.format(axis) for form in forms for axis in axes]
    scores = [form.format("score") for form in forms]
    twice = [name for name, times in Counter(header).items() if times > 1]
    if twice:
        raise DataError(f"column {twice[0]!r:.80} is there twice", line=1)
    scored = any(name in header for name in scores)
    known = {*wanted, *scores}
    unknown = [name for name in named if name not in known]
    lost = [name for name in wanted + scores * scored if name not in header]
    if unknown or lost:
        found = [f"column {name!r:.80} is unknown" for name in unknown[:1]]
        found += [f"column {name!r:.80} is missing" for name in lost[:1]]
        raise DataError(
            f"{' and '.join(found)} ({len(unknown)} unknown, {len(lost)} missing), "
            f"expected {', '.join(axes)} of the {which}; scores of all of them or "
            "none; frame and person where wanted",
            line=1,
        )
    order = (*axes, "score") if scored else axes
    return [header.index(form.format(axis)) for form in forms for axis in order]


def _numbers(row: list[str], line: int, width: int, columns: list[int]) -> list[float]:
    if len(row) != width:
        raise DataError(
            f"has {len(row)} cells, expected {width} as the header has", line=line
        )
    numbers = []
    for column in columns:
        cell = row[column].strip()
        try:
            if "_" in cell:  # which Python passes over: 1_0 is 10
                raise ValueError
            numbers.append(float(cell or "nan"))
        except ValueError:
            raise DataError(
                f"{cell[:40]!r} is no number, expected one, or an empty cell for a "
                "missing joint",
                line=line,
            ) from None
    return numbers


def _places(header, rows, lines) -> tuple[list[int], list[int]]:
    """Person and frame of each row, both counted from 0."""
    if "frame" not in header:
        if "person" in header:
            raise DataError(
                "has a column person and none named frame, expected both: rows of "
                "several persons belong together by the frame",
                line=1,
            )
        return [0] * len(rows), list(range(len(rows)))
    frames = [
        _whole(row[header.index("frame")], line) for row, line in zip(rows, lines)
    ]
    frames = [frame - min(frames) for frame in frames]
    people = [0] * len(rows)
    if "person" in header:
        keys = [row[header.index("person")].strip() for row in rows]
        numbers = {key: number for number, key in enumerate(dict.fromkeys(keys))}
        people = [numbers[key] for key in keys]
    seen: dict[tuple[int, int], int] = {}
    for place, line in zip(zip(people, frames), lines):
        if place in seen:
            raise DataError(
                f"is the same frame and person as line {seen[place]}, expected each "
                "once",
                line=line,
            )
        seen[place] = line
    return people, frames


def _whole(cell: str, line: int) -> int:
    try:
        number = float(cell)
        if number != int(number) or abs(number) > 2**53:
            raise ValueError
    except (ValueError, OverflowError):
        raise DataError(
            f"frame is {cell.strip()[:40]!r}, expected a whole number", line=line
        ) from None
    return int(number)
