"""A csv list that says of each file its class, its side and the size of the picture.

    file,label,split,height,width
    day1/a.json,wave,train,1080,1920

`split` is train, val or test; `height` and `width`, in pixels, are there in every line
or no such columns.
"""

import csv
from pathlib import PurePosixPath
from typing import NamedTuple

from ..errors import DataError
from .class_folders import SIDES


class Listed(NamedTuple):
    """What is said of a file; `img_shape` is (height, width), None if not said."""

    label: str
    side: str
    img_shape: tuple[int, int] | None
    line: int


def read_label_list(path: str, suffixes: tuple[str, ...]) -> dict[str, Listed]:
    """The lines of a list.

    Args:
        path: csv in UTF-8.
        suffixes: what a file's name may have at its end.

    Returns:
        file without suffix -> what is said of it.

    Raises:
        DataError: it cannot be read, a column is missing, or a line is wrong.
    """
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file, restval="")
            columns = [str(name) for name in rows.fieldnames or ()]
            numbered = [(rows.line_num, row) for row in rows]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"list {path} cannot be read ({error})") from error
    if not {"file", "label", "split"} <= set(columns):
        raise DataError(
            f"list {path} has the columns {str(columns):.300}, expected file, label and split "
            "(and height and width where videos differ in size)"
        )
    sized = "height" in columns and "width" in columns
    listed: dict[str, Listed] = {}
    for line, row in numbered:
        where = f"list {path}, line {line}"
        file, label, side = (row[name].strip() for name in ("file", "label", "split"))
        if not file or not label or side not in SIDES:
            raise DataError(
                f"{where}: file {file!r:.80}, label {label!r:.80}, split {side!r:.80}, expected a "
                f"file, a label, and one of {', '.join(SIDES)}"
            )
        key = without_suffix(file) if file.endswith(suffixes) else file.rstrip("/")
        if key in listed:
            raise DataError(
                f"{where}: {file} is in line {listed[key].line} too: leave one"
            )
        shape = _shape(row["height"], row["width"], where) if sized else None
        listed[key] = Listed(label, side, shape, line)
    if not listed:
        raise DataError(f"list {path} is empty, expected a line a file")
    return listed


def _shape(height: str, width: str, where: str) -> tuple[int, int]:
    sides = height.strip(), width.strip()
    if not all(side.isdecimal() and len(side) < 10 for side in sides):
        raise DataError(
            f"{where}: height {height!r:.40}, width {width!r:.40}, expected pixels, in every "
            "line or no such columns"
        )
    return int(height), int(width)


def without_suffix(path: str) -> str:
    """`wave/a.json` -> `wave/a`."""
    return str(PurePosixPath(path).with_suffix(""))
