"""Text files of numbers, one line with a fixed count per frame or joint."""

import numpy as np

from ..errors import DataError


def read_number_lines(
    content: bytes, fields: int, separator: str | None = None
) -> np.ndarray:
    """Parse a text file whose lines all hold the same count of numbers.

    Args:
        content: the file; lines end in LF or CR LF, blank ones may follow the last.
        fields: numbers per line.
        separator: between two numbers; None for white space.

    Returns:
        float64 [lines, fields], finite.

    Raises:
        DataError: with the line, what it holds, and what was expected.
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
            f"{field.strip()[:40]!r} is not a number, {expected}",
            kind="number",
            line=line,
        )
    finite = np.isfinite(numbers).all(axis=1)
    if not finite.all():
        place = int(np.argmin(finite))
        value = numbers[place][~np.isfinite(numbers[place])][0]
        raise DataError(
            f"holds {value}, {expected} that are finite",
            kind="not-finite",
            line=place + 1,
        )
    return numbers


def as_float32(numbers: np.ndarray, lines_a_frame: int = 1) -> np.ndarray:
    """Convert coordinates [T, ...] to float32.

    Args:
        numbers: finite.
        lines_a_frame: of the file, so that an error names the line at which a frame
            begins.

    Raises:
        DataError: a number is outside the range of float32.
    """
    with np.errstate(over="ignore"):
        array = numbers.astype(np.float32)
    if not np.isfinite(array).all():
        frame = int(np.argwhere(~np.isfinite(array))[0][0])
        value = numbers[~np.isfinite(array)][0]
        raise DataError(
            f"frame {frame}, which begins here, holds {value:g}, expected a coordinate",
            kind="number",
            line=frame * lines_a_frame + 1,
        )
    return array


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return "_" not in text
