"""Train, val and test as a list: a CSV file with the columns name and split."""

import csv
import os

from ..errors import DataError
from .class_folders import SIDES


def read_split_list(
    path: str, names: set[str], suffixes: tuple[str, ...]
) -> dict[str, str]:
    """Which side of the split each sequence is on.

    Args:
        path: a CSV file with the header name,split and a line a sequence.
        names: of all sequences.
        suffixes: what a name in the list may have at its end.

    Returns:
        name -> train, val or test.

    Raises:
        DataError: not such a list, a name that is not there, twice or not in it,
            or sequences on one side only.
    """
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            rows = [row for row in csv.reader(file) if row]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"split list {path} cannot be read: {error}") from None
    if not rows or rows[0] != ["name", "split"]:
        raise DataError(
            f"split list {path} begins with {str(rows[:1]):.300}: expected the line name,split"
        )
    sides: dict[str, str] = {}
    for row in rows[1:]:
        name = os.path.splitext(row[0])[0] if row[0].endswith(suffixes) else row[0]
        if len(row) != 2 or row[1] not in SIDES:
            raise DataError(
                f"split list {path} has the line {_plain(row)}: expected a name and "
                f"one of {', '.join(SIDES)}"
            )
        if name not in names or name in sides:
            what = "twice" if name in sides else "which is not there"
            raise DataError(
                f"split list {path} names {_plain([name])}, {what}: expected each sequence once, "
                f"as in {min(names)}"
            )
        sides[name] = row[1]
    if len(sides) < len(names):
        raise DataError(
            f"split list {path} lacks {len(names) - len(sides)} of {len(names)} "
            f"sequences, such as {min(names - set(sides))}: name each"
        )
    if "train" not in sides.values() or len(set(sides.values())) < 2:
        raise DataError(
            f"split list {path} says {sorted(set(sides.values()))} only: expected train, "
            "and val or test"
        )
    return sides


def _plain(row: list[str]) -> str:
    """A row in one line, whatever its cells hold."""
    return " ".join(",".join(row).split())[:300]
