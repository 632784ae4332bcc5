"""Text files of numbers, with the same count in each line."""

import numpy as np

from ..errors import DataError

__all__ = ["as_float32", "read_number_lines"]


def read_number_lines(
    content: bytes, fields: int, separator: str | None = None
) -> np.ndarray:
    """Read a text file with the same count of numbers in each line.

    Args:
        content: the file; lines end with LF or CR LF, and blank lines may follow.
        fields: numbers per line.
        separator: between two numbers; None for blanks.

    Returns:
        float64 [lines, fields], finite.

    Raises:
        DataError: a line contains something else; the error gives the line.
    """
    expected = f"expected {fields} numbers"
    if not content.isascii():
        place = next(place for place, byte in enumerate(content) if byte > 127)
        raise DataError(
            f"byte {place} is {content[place]:#04x}, expected plain ASCII text",
            kind="encoding",
            line=content.count(b"\n", 0, place) + 1,
        )
    lines = content.decode("ascii").rstrip().split("\n")
    if lines == [""]:
        raise DataError(f"is empty, expected lines of {fields} numbers", kind="empty")
    rows = [line.split(separator) for line in lines]
    for number, row in enumerate(rows, 1):
        if len(row) != fields:
            raise DataError(
                f"has {len(row)} fields, {expected}", kind="row", line=number
            )
    try:
        numbers = np.array(rows, dtype=np.float64)
    except ValueError:
        numbers = None
    # Python reads 1_0 as 10, which no release means.
    if numbers is None or b"_" in content:
        line, field = next(
            (line, field)
            for line, row in enumerate(rows, 1)
            for field in row
            if not _is_number(field)
        )
        raise DataError(
            f"has {field.strip()[:40]!r}, {expected}", kind="number", line=line
        )
    finite = np.isfinite(numbers).all(axis=1)
    if not finite.all():
        place = int(np.argmin(finite))
        value = numbers[place][~np.isfinite(numbers[place])][0]
        raise DataError(
            f"has {value}, {expected} that are finite",
            kind="not-finite",
            line=place + 1,
        )
    return numbers


def as_float32(numbers: np.ndarray, lines_per_frame: int = 1) -> np.ndarray:
    """Convert finite coordinates [T, ...] to finite float32.

    Args:
        lines_per_frame: lines of the file per frame, for the line of an error.

    Raises:
        DataError: a number is beyond float32; the error gives the line of its frame.
    """
    with np.errstate(over="ignore"):
        array = numbers.astype(np.float32)
    if not np.isfinite(array).all():
        frame = int(np.argwhere(~np.isfinite(array))[0][0])
        value = numbers[~np.isfinite(array)][0]
        raise DataError(
            f"frame {frame} has {value:g}, which is beyond float32",
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
