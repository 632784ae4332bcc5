"""NTU RGB+D `.skeleton` files.

The number of frames; then for each frame the number of bodies, and for each body

- a line of 10 fields: tracking id, six of hands and clipping, lean x and y, tracking
  state;
- the number of joints, 25;
- a line of 12 fields per joint: x, y, z in meters in the camera's coordinates, depth x
  and y, color x and y in pixels, orientation w, x, y, z, tracking state.

Only ids and x, y, z are read; the other fields are counted. Files without a fault are
parsed with NumPy; others are read again line by line to find the fault.
"""

from typing import NamedTuple, NoReturn

import numpy as np

from ..errors import DataError, SkipFile
from ..preprocessing.persons import select_persons
from .base import Format, ReadOptions, Sample, Source

LAYOUT = "nturgb+d"
JOINTS = 25
NOBODY = "no body in any frame"
REPEATED = (
    "bodies whose tracking id stands twice in a frame, kept as bodies of their own"
)
_BODY = np.array([10, 1] + JOINTS * [12])  # fields in the lines of a body
_MAX_DIGITS = 18  # of an integer below 2^63
_INFINITY = 2.0**128 - 2.0**103  # what float32 rounds to infinity
_POWERS = np.array([float(f"1e{power}") for power in range(13)])


class Bodies(NamedTuple):
    """All bodies of all frames, in the order of the file.

    Attributes:
        frames: T, number of frames, with or without bodies.
        frame: int64 [N], the frame of each body, from 0.
        ids: N tracking ids.
        joints: float32 [N, 25, 3], x, y, z in meters.
    """

    frames: int
    frame: np.ndarray
    ids: list[int]
    joints: np.ndarray


def read_skeleton(content: bytes) -> Bodies:
    """Read the bodies of a file, whose fields any white space separates.

    Raises:
        DataError: the text is not as described above; the error gives the line.
    """
    text = content.rstrip()
    if not text:
        raise DataError("is empty, expected the number of frames", kind="empty", line=1)
    try:
        return _parse(text) or _refuse(text)
    except DataError as error:
        line = error.where.line
        if content.endswith(b"\n") or line != content.count(b"\n") + 1:
            raise
        why = f"{error.message}. The line has no end: the file is truncated"
        raise DataError(why, kind="truncated", line=line) from None


def _parse(text: bytes) -> Bodies | None:
    """Parse a file without a fault; return None for any other."""
    text = b"\n%b\n" % text
    letters = np.frombuffer(text, np.uint8)
    space = (letters == ord(" ")) | (letters - np.uint8(ord("\t")) <= 4)
    starts, ends = np.flatnonzero(space[:-1] ^ space[1:]).reshape(-1, 2).T + 1
    first = np.searchsorted(starts, np.flatnonzero(letters == ord("\n")))  # of a line
    fields = np.diff(first)
    heads = np.flatnonzero(fields == _BODY[0])
    lines = heads[:, None] + np.arange(len(_BODY))  # of each body
    if lines.max(initial=0) >= len(fields) or (fields[lines] != _BODY).any():
        return None
    others = np.delete(np.arange(len(fields)), lines)
    if not len(others) or (fields[others] != 1).any():
        return None
    numbers = [
        [text[a:b] for a, b in zip(starts[at].tolist(), ends[at].tolist(), strict=True)]
        for at in (first[others], first[heads], first[heads + 1])
    ]
    if not all(_is_integer(word) for words in numbers for word in words):
        return None
    (frames, *bodies), ids, joints = ([*map(int, words)] for words in numbers)
    if (frames, sum(bodies)) != (len(bodies), len(ids)) or {*joints} - {JOINTS}:
        return None
    frame = np.repeat(np.arange(frames), bodies)
    if (np.searchsorted(others[1:], heads) - 1 != frame).any():
        return None
    xyz = (first[lines[:, 2:]][..., None] + np.arange(3)).ravel()
    try:
        values = _decimals(text, starts[xyz], ends[xyz])
    except ValueError:
        return None
    with np.errstate(over="ignore"):
        points = values.astype(np.float32).reshape(-1, JOINTS, 3)
    return Bodies(frames, frame, ids, points) if np.isfinite(points).all() else None


def _decimals(text: bytes, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Read the numbers at text[starts:ends] as `float` does, bit for bit.

    Those such as -0.2925287 are computed at once: their digits are an integer below
    2^53, and its division by a power of ten below 10^23 is rounded once (Clinger, "How
    to read floating point numbers accurately", PLDI 1990).
    """
    letters = np.frombuffer(text, np.uint8)
    negative = letters[starts] == ord("-")
    units = letters[starts + negative] - np.uint8(ord("0"))  # above 9: not a digit
    decimals = ends - starts - negative - 2
    simple = (units < 10) & (letters[starts + negative + 1] == ord("."))
    simple &= (decimals > 0) & (decimals < len(_POWERS))
    decimals *= simple
    values: np.ndarray = units * _POWERS[decimals]
    for place in range(decimals.max(initial=0)):  # from the last digit
        digit = letters[ends - 1 - place] - np.uint8(ord("0"))
        inside = place < decimals
        simple &= ~inside | (digit < 10)
        values += digit * inside * _POWERS[place]
    values /= _POWERS[decimals]
    values[negative] *= -1
    for other in np.flatnonzero(~simple):
        word = text[starts[other] : ends[other]]
        values[other] = float(word.replace(b"_", b"-"))  # 1_0 is refused
    return values


def _is_integer(word: bytes) -> bool:
    return word.isdigit() and len(word) <= _MAX_DIGITS


def _refuse(text: bytes) -> NoReturn:
    """Raise the error of the first line that is not as expected."""
    rows = [line.split() for line in text.split(b"\n")]
    line = 0  # the number of lines that were read

    def refuse(found: str, expected: str, kind: str) -> NoReturn:
        raise DataError(f"{found}, expected {expected}", kind=kind, line=line)

    def take(fields: int, expected: str) -> list[bytes]:
        nonlocal line
        line += 1
        if line > len(rows):
            refuse("is missing, the file is truncated", expected, "truncated")
        row = rows[line - 1]
        if len(row) != fields:
            refuse(f"has {len(row)} fields", f"{fields}: {expected}", "row")
        return row

    def integer(fields: int, expected: str) -> int:
        word = take(fields, expected)[0]
        if not _is_integer(word):
            refuse(f"begins with {str(word[:40])[1:]}", expected, "number")
        return int(word)

    frames = integer(1, "the number of frames")
    for number in range(frames):
        here = f"in frame {number + 1} of {frames}"
        for _ in range(integer(1, f"the number of bodies {here}")):
            integer(_BODY[0], f"the tracking id of a body {here}")
            count = integer(1, f"the number of joints {here}")
            if count != JOINTS:
                refuse(f"is {count}", f"{JOINTS} joints {here}", "layout")
            for joint in range(JOINTS):
                fields = take(_BODY[2], f"joint {joint + 1} {here}")
                for axis, word in zip("xyz", fields, strict=False):
                    expected = f"a finite {axis} of joint {joint + 1} {here}"
                    try:
                        value = float(word.replace(b"_", b"-"))
                    except ValueError:
                        refuse(f"has {str(word[:40])[1:]}", expected, "number")
                    if not abs(value) < _INFINITY:
                        refuse(f"has {str(word[:40])[1:]}", expected, "not-finite")
    line += 1
    refuse("the file goes on", f"its end after {frames} frames", "structure")


def read_bodies(content: bytes) -> tuple[np.ndarray, dict[str, int]]:
    """Read a file, and follow each body by its tracking id.

    Returns:
        float32 [B, T, 25, 3] in the order in which the ids appear, zero in frames
        without the body; and what was noticed -> how often. The second body with an id
        in a frame is followed like a body of its own.

    Raises:
        DataError: as `read_skeleton`.
        SkipFile: no frame contains a body.
    """
    bodies = read_skeleton(content)
    if not bodies.joints.any():
        raise SkipFile(NOBODY)
    tracks: dict[tuple[int, int], int] = {}
    used: set[tuple[int, int, int]] = set()
    rows, repeated = [], 0
    for frame, identity in zip(bodies.frame.tolist(), bodies.ids, strict=True):
        copy = 0
        while (frame, identity, copy) in used:
            copy += 1
        repeated += copy > 0
        used.add((frame, identity, copy))
        rows.append(tracks.setdefault((identity, copy), len(tracks)))
    keypoint = np.zeros((len(tracks), bodies.frames, JOINTS, 3), dtype=np.float32)
    keypoint[rows, bodies.frame] = bodies.joints
    empty = int(np.sum(~keypoint.any(axis=(0, 2, 3))))
    notes = {REPEATED: repeated, "frames without any body, kept as zeros": empty}
    return keypoint, {what: count for what, count in notes.items() if count}


def keep_bodies(keypoint: np.ndarray, count: int) -> np.ndarray:
    """Keep the bodies [B, T, 25, 3] of most energy, as MS-G3D does."""
    return select_persons(keypoint, count)[0] if len(keypoint) > 1 else keypoint


def _read(source: Source, options: ReadOptions) -> list[Sample]:
    keypoint, notes = read_bodies(source.content)
    keypoint = keep_bodies(keypoint, options.max_persons)
    sequence = {
        "frame_dir": source.id,
        "keypoint": keypoint,
        "layout": LAYOUT,
        "unit": "m",
        "notes": notes,
    }
    return [sequence]


FORMAT = Format(
    name="ntu_skeleton",
    title="NTU RGB+D .skeleton files",
    suffixes=(".skeleton",),
    detect=lambda source: True,
    read=_read,
)
