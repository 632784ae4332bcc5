"""The `.skeleton` text of NTU RGB+D, parsed without a step a number.

The number of frames; then for each frame the number of bodies, and for each body

- a line of 10 fields: tracking id, six of the hands and of clipping, lean x and y,
  tracking state;
- the number of joints, 25;
- a line of 12 fields a joint: x, y, z in metres in the camera's coordinates, depth x
  and y, colour x and y in pixels, orientation w, x, y, z, tracking state.

Kept are the ids and x, y, z. The other fields are counted, and what they hold is not
looked at.
"""

from typing import NamedTuple, NoReturn

import numpy as np

from ..errors import DataError
from ..io.text_lines import TextLines

JOINTS = 25
BODY_FIELDS, JOINT_FIELDS = 10, 12
# Blanks in the lines of a body.
_BODY = np.array([BODY_FIELDS - 1, 0] + JOINTS * [JOINT_FIELDS - 1], dtype=np.uint8)
_DIGITS = 18  # of a number that fits into 64 bits


class Bodies(NamedTuple):
    """All bodies of all frames, in the order of the file.

    Attributes:
        frames: T, number of frames, with or without bodies.
        frame: int64 [N], the frame of each body, from 0.
        ids: the tracking id of each body, N of them.
        joints: float32 [N, 25, 3], x, y, z in metres.
    """

    frames: int
    frame: np.ndarray
    ids: list[int]
    joints: np.ndarray


def read_skeleton(content: bytes) -> Bodies:
    """The bodies of a file.

    Args:
        content: fields stand between single blanks, as released, or any white space;
            blank lines may follow the last one.

    Raises:
        DataError: the line, what it holds and what was expected.
    """
    if not content.strip():
        raise DataError("is empty, expected the number of frames", line=1)
    try:
        return _read_spaced(content)
    except DataError as error:
        if content.endswith(b"\n") or error.where.line != content.count(b"\n") + 1:
            raise
        raise DataError(
            f"{error}; the line has no end, so the file is cut off in it: copy it again",
            line=error.where.line,
        ) from None


def _read_spaced(content: bytes) -> Bodies:
    """The bodies, whatever white space there is between the fields."""
    try:
        return _read(content)
    except DataError:
        lines = content.replace(b"\r\n", b"\n").rstrip().split(b"\n")
        even = b"\n".join(b" ".join(line.split()) for line in lines)
        if even == content.rstrip():
            raise
    return _read(even)


def _read(content: bytes) -> Bodies:
    text = TextLines(content, JOINT_FIELDS)
    frames, frame, lines = _find_bodies(text) or _walk(text)
    with np.errstate(over="ignore"):
        joints = text.numbers.astype(np.float32, order="C")
    if not np.isfinite(joints).all():
        _refuse_number(text, joints, lines)
    ids = _ids(text, lines)
    return Bodies(frames, frame, ids, joints.reshape(-1, JOINTS, 3))


Found = tuple[int, np.ndarray, np.ndarray]


def _find_bodies(text: TextLines) -> Found | None:
    """What `_walk` finds, at once: of a file without fault.

    Returns:
        None where something is not as it should be, or not as usual.
    """
    blanks = text.blanks
    lines = np.flatnonzero(blanks == _BODY[0])
    after = lines[:, None] + np.arange(len(_BODY))
    if len(lines) and after[-1, -1] >= len(text):
        return None
    alone = np.flatnonzero(blanks == 0)
    count_lines = alone[1:][blanks[alone[1:] - 1] != _BODY[0]]
    letters = np.frombuffer(text.content, np.uint8)
    counts = letters[text.starts[count_lines]] - np.uint8(ord("0"))
    joints = text.starts[lines + 1]
    head = text[0]
    if not (
        head.isdigit()
        and len(head) <= _DIGITS
        and int(head) == len(count_lines)
        and len(text) == 1 + len(count_lines) + after.size
        and (blanks[after] == _BODY).all()
        and (text.ends[count_lines] - text.starts[count_lines] == 1).all()
        and (text.ends[lines + 1] - joints == 2).all()
        and (letters[joints] == ord("2")).all()
        and (letters[joints + 1] == ord("5")).all()
    ):
        return None
    # The frame of a body is the last one to begin before it.
    frame = np.searchsorted(count_lines, lines) - 1
    if (np.bincount(frame + 1, minlength=len(counts) + 1)[1:] != counts).any():
        return None
    return len(count_lines), frame, lines


def _walk(text: TextLines) -> Found:
    """Line by line through the file.

    Returns:
        Number of frames; frame and first line of each body.

    Raises:
        DataError: the first line that is not as it should be.
    """
    frames = _count(text, 0, "the number of frames")
    line, frame, lines = 1, [], []
    for number in range(frames):
        where = f"in frame {number + 1} of {frames}"
        bodies = _count(text, line, f"the number of bodies {where}")
        line += 1
        for _ in range(bodies):
            for place, blanks in enumerate(_BODY.tolist()):
                what = f"{_name(place)} {where}"
                if place == 1 and _count(text, line + 1, what) != JOINTS:
                    _refuse(text, line + 1, what)
                _check_fields(text, line + place, blanks + 1, what)
            frame.append(number)
            lines.append(line)
            line += len(_BODY)
    if line < len(text):
        raise DataError(
            f"the file goes on, expected its end after the {frames} frames that line 1 "
            "says",
            line=line + 1,
        )
    return frames, np.array(frame, dtype=np.int64), np.array(lines, dtype=np.int64)


def _ids(text: TextLines, lines: np.ndarray) -> list[int]:
    """Of the bodies that begin at these lines."""
    ids, known = [], {}
    for line, start in zip(lines.tolist(), text.starts[lines].tolist()):
        # An id and the next fields, which seldom change from frame to frame.
        key = text.content[start : start + _DIGITS + 2]
        if key not in known:
            field = key.split(b" ", 1)[0]
            if not field.isdigit() or len(field) > _DIGITS:
                _refuse(text, line, "a tracking id of digits")
            known[key] = int(field)
        ids.append(known[key])
    return ids


def _refuse_number(text: TextLines, joints: np.ndarray, lines: np.ndarray) -> NoReturn:
    """Names the first of [25 N, 3] numbers that is not finite."""
    place, axis = divmod(int(np.argmin(np.isfinite(joints))), 3)
    body, joint = divmod(place, JOINTS)
    what = f"{'xyz'[axis]} of joint {joint + 1}, a finite number of metres"
    _refuse(text, int(lines[body]) + 2 + joint, what, axis)


def _name(place: int) -> str:
    """Of a line of a body."""
    if place == 0:
        return "a body"
    return f"joint {place - 1}" if place > 1 else f"{JOINTS}, the number of joints,"


def _count(text: TextLines, line: int, expected: str) -> int:
    """The number that a line consists of."""
    # Python refuses to read endless ones.
    if line < len(text) and text[line].isdigit() and len(text[line]) <= _DIGITS:
        return int(text[line])
    _refuse(text, line, expected)


def _check_fields(text: TextLines, line: int, fields: int, what: str) -> None:
    if line >= len(text):
        _refuse(text, line, what)
    found = int(text.blanks[line]) + 1
    if found != fields:
        many = "1 field" if found == 1 else f"{found} fields"
        raise DataError(f"has {many}, expected {fields} of {what}", line=line + 1)


def _refuse(text: TextLines, line: int, expected: str, field: int = 0) -> NoReturn:
    if line >= len(text):
        raise DataError(
            f"the file ends here, expected {expected}: it is cut off, copy it again",
            line=len(text) + 1,
        )
    found = repr(text[line].split(b" ")[field][:40])[1:]
    raise DataError(f"holds {found}, expected {expected}", line=line + 1)
