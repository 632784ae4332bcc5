"""Sizes that a pickle claims, compared with the file before any memory is taken.

CPython's unpickler takes the memory for a text, an array of bytes or its table of
memorised objects as soon as the file names a size (python/cpython#115952), so that one
changed byte can take 30 GB. This walks over the opcodes beforehand, by the table of
`pickletools`, without looking at what they carry.
"""

import os
import pickletools
import re
from pickle import UnpicklingError
from typing import BinaryIO

_WINDOW = 2**14
_LONGEST = 16  # bytes of an opcode that has no text or data
# Bytes that an object and its number in the table of memorised objects take at least.
_BYTES_A_NUMBER = 4


class Truncated(UnpicklingError):
    """The pickle promises more bytes than the file has."""


def _codes(*kinds: int | None) -> dict[int, bytes]:
    """The opcodes by the length of their argument, of those with one of these."""
    found: dict[int, bytes] = {}
    for one in pickletools.opcodes:
        length = 0 if one.arg is None else one.arg.n
        if length in kinds:
            found[length] = found.get(length, b"") + one.code.encode("latin-1")
    return found


_PUT, _LONG_PUT, _FRAME, _STOP = ord("p"), ord("r"), 0x95, ord(".")
# Opcodes of a known length, but for those that claim something, and the end.
_FIXED = {
    length: bytes(set(codes) - {_LONG_PUT, _FRAME, _STOP})
    for length, codes in _codes(0, 1, 2, 4, 8).items()
}
_RUN = re.compile(
    b"(?:%s){1,500}"
    % b"|".join(
        b"[%s].{%d}" % (re.escape(codes), length) for length, codes in _FIXED.items()
    ),
    re.DOTALL,
)
_LINES = {
    code: 2 if one.arg.name == "stringnl_noescape_pair" else 1
    for one in pickletools.opcodes
    for code in one.code.encode("latin-1")
    if one.arg is not None and one.arg.n == pickletools.UP_TO_NEWLINE
}
# How many bytes say how many bytes follow.
_COUNTED = {
    code: width
    for kind, width in (
        (pickletools.TAKEN_FROM_ARGUMENT1, 1),
        (pickletools.TAKEN_FROM_ARGUMENT4, 4),
        (pickletools.TAKEN_FROM_ARGUMENT4U, 4),
        (pickletools.TAKEN_FROM_ARGUMENT8U, 8),
    )
    for code in _codes(kind).get(kind, b"")
}


def check_claims(file: BinaryIO) -> None:
    """Refuse a pickle that claims more than the file has; leaves it at its start.

    Of a file that is no pickle nothing is said: the unpickler stops where this does.

    Raises:
        Truncated: the file ends before what it promises.
        UnpicklingError: a memorised object of a number that no honest file comes to.
    """
    file.seek(0, os.SEEK_END)
    size = file.tell()
    place = base = 0
    window = b""
    while True:
        at = place - base
        if at + _LONGEST > len(window) and base + len(window) < size:
            file.seek(place)
            base, at, window = place, 0, file.read(_WINDOW)
        run = _RUN.match(window, at)
        if run is not None:
            place = base + run.end()
            continue
        if place >= size:
            raise Truncated(f"it goes on behind its end at byte {size}")
        code = window[at]
        place += 1
        if code in _COUNTED:
            width = _COUNTED[code]
            count = int.from_bytes(window[at + 1 : at + 1 + width], "little")
            place = _within(place + width, count, size)
        elif code in _LINES:
            file.seek(place)
            line = b"".join(file.readline() for _ in range(_LINES[code]))
            if code == _PUT:
                _check_number(line, place)
            place += len(line)
        elif code == _LONG_PUT:
            number = int.from_bytes(window[at + 1 : at + 5], "little")
            _check_number(b"%d" % number, place)
            place = _within(place, 4, size)
        elif code == _FRAME:
            count = int.from_bytes(window[at + 1 : at + 9], "little")
            _within(place + 8, count, size)
            place += 8
        else:  # the end, or no opcode
            break
    file.seek(0)


def _within(place: int, count: int, size: int) -> int:
    if place + count > size:
        raise Truncated(f"{count} bytes promised, {max(size - place, 0)} left")
    return place + count


def _check_number(text: bytes, place: int) -> None:
    text = text.strip()
    if len(text) > 18 or not text.isdigit():
        raise UnpicklingError("an object is memorised under no number")
    if int(text) > 256 + place // _BYTES_A_NUMBER:
        raise UnpicklingError(f"object {int(text)} is memorised at byte {place}")
