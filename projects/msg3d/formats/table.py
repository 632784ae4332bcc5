"""Parser for CSV files with numeric columns."""

import csv
import io
import re
from collections import Counter
from typing import NamedTuple

from ..errors import DataError

DELIMITERS = ",;\t"


class Table(NamedTuple):
    """Cells of a CSV file.

    Attributes:
        header: normalized column names, such as `left_hand_x` for `Left Hand-X`.
        rows: cells of each row below the header.
        lines: number of the last line of each row, from 1.
    """

    header: list[str]
    rows: list[list[str]]
    lines: list[int]

    def check_rows(self) -> None:
        """Check that every row has a cell for each column.

        Raises:
            DataError: a row has another number of cells (kind `row`).
        """
        for row, line in zip(self.rows, self.lines, strict=True):
            if len(row) != len(self.header):
                raise DataError(
                    f"the row has {len(row)} cells, expected {len(self.header)} as in the "
                    "header",
                    kind="row",
                    line=line,
                )


def read_table(content: bytes, skip_blank: bool = False) -> Table:
    """Parse a CSV file with commas, semicolons, or tabs as delimiters.

    Args:
        content: content of the file in UTF-8. Trailing blank lines are ignored.
        skip_blank: whether to skip blank lines between rows.

    Raises:
        DataError: the file is not a table. The error contains the line number.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(
            f"byte {error.start} is not UTF-8. Save the table as CSV in UTF-8.",
            kind="encoding",
            line=content.count(b"\n", 0, error.start) + 1,
        ) from None
    delimiter = max(DELIMITERS, key=text.partition("\n")[0].count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows, lines = [], []
    try:
        for row in reader:
            if row or not skip_blank:
                rows.append(row)
                lines.append(reader.line_num)
    except csv.Error as error:
        raise DataError(
            f"the table is not valid CSV ({error})", kind="syntax", line=reader.line_num
        ) from None
    while rows and not rows[-1]:
        rows.pop()
    if not rows:
        raise DataError("the file is empty, expected a header", kind="empty", line=1)
    header = [_normalize(name) for name in rows[0]]
    duplicates = [name for name, times in Counter(header).items() if times > 1 and name]
    if duplicates:
        raise DataError(
            f"column {duplicates[0]!r:.80} occurs twice, expected unique column names",
            kind="columns",
            line=1,
        )
    return Table(header, rows[1:], lines[1 : len(rows)])


def read_header(content: bytes) -> list[str]:
    """Return the column names, or an empty list if the first line is not a header."""
    first = content[: content.find(b"\n") + 1 or None]
    try:
        return read_table(first).header
    except DataError:
        return []


def number(cell: str, line: int) -> float:
    """Return the number in a cell, or NaN if the cell is empty."""
    cell = cell.strip()
    try:
        if "_" in cell:  # Python reads 1_0 as 10
            raise ValueError
        return float(cell or "nan")
    except ValueError:
        raise DataError(
            f"the cell is {cell[:40]!r}, expected a number", kind="number", line=line
        ) from None


def frame_numbers(table: Table) -> list[int]:
    """Return the integers in the column `frame`."""
    column = table.header.index("frame")
    numbers = []
    for row, line in zip(table.rows, table.lines, strict=True):
        value = number(row[column], line)
        if not value.is_integer() or abs(value) > 2**53:
            raise DataError(
                f"'frame' is {row[column].strip()[:40]!r}, expected an integer",
                kind="number",
                line=line,
                field="frame",
            )
        numbers.append(int(value))
    return numbers


def _normalize(name: str) -> str:
    return re.sub(r"[\s-]+", "_", name.strip().lower())
