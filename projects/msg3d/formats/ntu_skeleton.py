"""Reader for NTU RGB+D `.skeleton` files.

A file contains the number of frames, then for each frame the number of bodies, and for
each body:

- a line of 10 fields: tracking id, six fields for hands and clipping, lean x and y,
  tracking state;
- the number of joints, 25;
- per joint, a line of 12 fields: x, y, z in camera coordinates (meters), depth x and y,
  color x and y (pixels), orientation w, x, y, z, tracking state.

Only ids and x, y, z are read. Other fields are only counted. Valid files are parsed with
NumPy. Invalid files are read again line by line to find the error.
"""

from typing import NamedTuple, NoReturn

import numpy as np

from ..errors import DataError, SkipFile
from ..preprocessing.persons import select_persons
from .base import Format, ReadOptions, Sample, Source

LAYOUT = "nturgb+d"
JOINTS = 25
NO_BODY = "no body in any frame"
DUPLICATE_ID = "bodies whose id occurs twice in a frame, kept as separate bodies"
_BODY = np.array([10, 1] + JOINTS * [12])  # number of fields in each line of a body
_MAX_DIGITS = 18  # of an integer below 2^63
_INFINITY = 2.0**128 - 2.0**103  # larger numbers are infinite in float32
_POWERS = np.array([float(f"1e{power}") for power in range(13)])


class Bodies(NamedTuple):
    """Bodies in all frames of a `.skeleton` file, in the order of the file.

    Attributes:
        frames: number of frames, with or without bodies, T.
        frame: frame of each body, from 0, int64 [N].
        ids: tracking ids of the N bodies.
        joints: x, y, z in meters, float32 [N, 25, 3].
    """

    frames: int
    frame: np.ndarray
    ids: list[int]
    joints: np.ndarray


def read_skeleton(content: bytes) -> Bodies:
    """Parse a `.skeleton` file. Fields are separated by any white space.

    Raises:
        DataError: a line is invalid. The error contains the line number.
    """
    text = content.rstrip()
    if not text:
        raise DataError(
            "the file is empty, expected the number of frames", kind="empty", line=1
        )
    try:
        return _parse(text) or _raise_error(text)
    except DataError as error:
        line = error.where.line
        if content.endswith(b"\n") or line != content.count(b"\n") + 1:
            raise
        message = f"{error.message}. The file is truncated within this line."
        raise DataError(message, kind="truncated", line=line) from None


def _parse(text: bytes) -> Bodies | None:
    """Parse a valid file. Return None if the file is invalid."""
    text = b"\n%b\n" % text
    letters = np.frombuffer(text, np.uint8)
    space = (letters == ord(" ")) | (letters - np.uint8(ord("\t")) <= 4)
    starts, ends = np.flatnonzero(space[:-1] ^ space[1:]).reshape(-1, 2).T + 1
    # Index of the first field of each line.
    first = np.searchsorted(starts, np.flatnonzero(letters == ord("\n")))
    fields = np.diff(first)
    heads = np.flatnonzero(fields == _BODY[0])
    lines = heads[:, None] + np.arange(len(_BODY))  # (bodies, lines per body)
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
    """Parse the numbers at text[starts:ends] to float64, bit for bit equal to `float`.

    Numbers such as -0.2925287 are vectorized. Their digits form an integer below 2^53,
    and the division by a power of ten below 10^23 is correctly rounded (Clinger, "How to
    read floating point numbers accurately", PLDI 1990).
    """
    letters = np.frombuffer(text, np.uint8)
    negative = letters[starts] == ord("-")
    units = letters[starts + negative] - np.uint8(ord("0"))  # > 9 if not a digit
    decimals = ends - starts - negative - 2
    simple = (units < 10) & (letters[starts + negative + 1] == ord("."))
    simple &= (decimals > 0) & (decimals < len(_POWERS))
    decimals *= simple
    values: np.ndarray = units * _POWERS[decimals]
    for position in range(decimals.max(initial=0)):  # from the last digit
        digit = letters[ends - 1 - position] - np.uint8(ord("0"))
        inside = position < decimals
        simple &= ~inside | (digit < 10)
        values += digit * inside * _POWERS[position]
    values /= _POWERS[decimals]
    values[negative] *= -1
    for other in np.flatnonzero(~simple):
        word = text[starts[other] : ends[other]]
        values[other] = float(word.replace(b"_", b"-"))  # rejects 1_0
    return values


def _is_integer(word: bytes) -> bool:
    return word.isdigit() and len(word) <= _MAX_DIGITS


def _raise_error(text: bytes) -> NoReturn:
    """Raise the error of the first invalid line."""
    rows = [line.split() for line in text.split(b"\n")]
    line = 0  # number of lines read

    def fail(expected: str, actual: str, kind: str) -> NoReturn:
        raise DataError(f"{actual}, expected {expected}", kind=kind, line=line)

    def next_row(fields: int, expected: str) -> list[bytes]:
        nonlocal line
        line += 1
        if line > len(rows):
            fail(expected, "the file is truncated", "truncated")
        row = rows[line - 1]
        if len(row) != fields:
            fail(
                f"{expected} ({fields} fields)",
                f"the line has {len(row)} fields",
                "row",
            )
        return row

    def next_integer(fields: int, expected: str) -> int:
        word = next_row(fields, expected)[0]
        if not _is_integer(word):
            fail(expected, f"the field is {str(word[:40])[1:]}", "number")
        return int(word)

    frames = next_integer(1, "the number of frames")
    for number in range(frames):
        where = f"in frame {number + 1} of {frames}"
        for _ in range(next_integer(1, f"the number of bodies {where}")):
            next_integer(_BODY[0], f"the tracking id of a body {where}")
            count = next_integer(1, f"the number of joints {where}")
            if count != JOINTS:
                fail(f"{JOINTS} {where}", f"the number of joints is {count}", "layout")
            for joint in range(JOINTS):
                fields = next_row(_BODY[2], f"joint {joint + 1} {where}")
                for axis, word in zip("xyz", fields, strict=False):
                    expected = f"a finite {axis} of joint {joint + 1} {where}"
                    try:
                        value = float(word.replace(b"_", b"-"))
                    except ValueError:
                        fail(expected, f"the field is {str(word[:40])[1:]}", "number")
                    if not abs(value) < _INFINITY:
                        fail(
                            expected, f"the field is {str(word[:40])[1:]}", "not-finite"
                        )
    line += 1
    fail(
        f"the end of the file after {frames} frames",
        "the file has more lines",
        "structure",
    )


def read_bodies(content: bytes) -> tuple[np.ndarray, dict[str, int]]:
    """Parse a `.skeleton` file, and arrange its bodies in rows by tracking id.

    Returns:
        Keypoints in meters, float32 [B, T, 25, 3], and notes that map the description of
        a change to its count. Bodies are in order of first appearance, and zero in
        frames without the body. A second body with the same id in a frame is tracked as
        a separate body.

    Raises:
        DataError: see `read_skeleton`.
        SkipFile: no frame contains a body.
    """
    bodies = read_skeleton(content)
    if not bodies.joints.any():
        raise SkipFile(NO_BODY)
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
    notes = {DUPLICATE_ID: repeated, "frames without any body, kept as zeros": empty}
    return keypoint, {note: count for note, count in notes.items() if count}


def keep_bodies(keypoint: np.ndarray, count: int) -> np.ndarray:
    """Return the `count` bodies of [B, T, 25, 3] with the highest energy, as in MS-G3D."""
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
    keeps="joints in meters, bodies",
    suffixes=(".skeleton",),
    detect=lambda source: True,
    read=_read,
)
