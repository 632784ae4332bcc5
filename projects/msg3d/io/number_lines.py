"""Parser for text files with the same number of numeric fields in each line."""

import numpy as np

from ..errors import DataError

__all__ = ["as_float32", "read_number_lines"]


def read_number_lines(
    content: bytes, fields: int, separator: str | None = None
) -> np.ndarray:
    """Parse a text file with the same number of numeric fields in each line.

    Args:
        content: content of the file. Lines end with LF or CR LF, and trailing blank lines
            are ignored.
        fields: number of fields per line.
        separator: separator between fields. None for white space.

    Returns:
        Finite numbers, float64 [lines, fields].

    Raises:
        DataError: a line is invalid. The error contains the line number.
    """
    expected = f"expected {fields} numbers"
    if not content.isascii():
        position = next(index for index, byte in enumerate(content) if byte > 127)
        raise DataError(
            f"byte {position} is {content[position]:#04x}, expected ASCII text",
            kind="encoding",
            line=content.count(b"\n", 0, position) + 1,
        )
    lines = content.decode("ascii").rstrip().split("\n")
    if lines == [""]:
        raise DataError(
            f"the file is empty, expected lines with {fields} numbers", kind="empty"
        )
    rows = [line.split(separator) for line in lines]
    for number, row in enumerate(rows, 1):
        if len(row) != fields:
            raise DataError(
                f"the line has {len(row)} fields, {expected}", kind="row", line=number
            )
    try:
        numbers = np.array(rows, dtype=np.float64)
    except ValueError:
        numbers = None
    # Python accepts 1_0 as 10, but data sets do not use underscores.
    if numbers is None or b"_" in content:
        line, field = next(
            (line, field)
            for line, row in enumerate(rows, 1)
            for field in row
            if not _is_number(field)
        )
        raise DataError(
            f"the line contains {field.strip()[:40]!r}, {expected}",
            kind="number",
            line=line,
        )
    finite = np.isfinite(numbers).all(axis=1)
    if not finite.all():
        index = int(np.argmin(finite))
        value = numbers[index][~np.isfinite(numbers[index])][0]
        raise DataError(
            f"the line contains {value}, expected {fields} finite numbers",
            kind="not-finite",
            line=index + 1,
        )
    return numbers


def as_float32(numbers: np.ndarray, lines_per_frame: int = 1) -> np.ndarray:
    """Convert finite coordinates to float32, and check that they remain finite.

    Args:
        numbers: finite coordinates, [T, ...].
        lines_per_frame: lines per frame in the file, for the line number of errors.

    Raises:
        DataError: a number exceeds the range of float32. The error contains the
            first line of its frame.
    """
    with np.errstate(over="ignore"):
        array = numbers.astype(np.float32)
    if not np.isfinite(array).all():
        frame = int(np.argwhere(~np.isfinite(array))[0][0])
        value = numbers[~np.isfinite(array)][0]
        raise DataError(
            f"frame {frame} contains {value:g}, which exceeds the range of float32",
            kind="not-finite",
            line=frame * lines_per_frame + 1,
        )
    return array


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return "_" not in text
