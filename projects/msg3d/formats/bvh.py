"""Reader for Biovision motion capture files (`.bvh`).

A file contains a hierarchy of joints, and their angles in each frame:

    HIERARCHY
    ROOT Hips
    {
        OFFSET 0.0 0.0 0.0
        CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation
        JOINT Spine
        {
            OFFSET 0.0 9.1 0.0
            CHANNELS 3 Zrotation Xrotation Yrotation
            End Site
            {
                OFFSET 0.0 9.0 0.0
            }
        }
    }
    MOTION
    Frames: 2
    Frame Time: 0.0333333
    0.0 90.0 0.0 10.0 0.0 0.0 0.0 0.0 5.0
    ...

Each line of the motion contains the values of all channels, in the order of the hierarchy.
For a joint j with parent p, offset or position channels t, and rotation channels A, B, C
in the order of the file (degrees, right-handed):

    R_j = R_p A B C,    x_j = x_p + R_p t_j

A position channel replaces the same coordinate of the offset. Some motion capture
software writes position channels for every joint.
"""

import math
import re
from dataclasses import dataclass

import numpy as np

from ..errors import DataError
from ..io.number_lines import read_number_lines
from ..skeletons.rotation import rotation

__all__ = ["Joint", "Motion", "read_bvh"]

_MOTION = re.compile(rb"^[ \t]*MOTION[ \t\r]*$", re.MULTILINE)
_CHANNEL = re.compile(r"([XYZ])(position|rotation)")


@dataclass(frozen=True)
class Joint:
    """Joint in the HIERARCHY section of a BVH file. End sites are omitted.

    Attributes:
        name: name, unique in the file.
        parent: index of the parent, which precedes the joint. -1 for a root.
        offset: (x, y, z) relative to the parent, in the unit of the file.
        channels: pairs of an axis (0, 1, or 2) and "position" or "rotation", in the
            order of the file.
    """

    name: str
    parent: int
    offset: tuple[float, float, float]
    channels: tuple[tuple[int, str], ...]


@dataclass(frozen=True)
class Motion:
    """Content of a BVH file.

    Attributes:
        joints: joints, in the order of the file.
        frame_time: seconds per frame.
        values: channel values of all joints, float64 [T, channels].
    """

    joints: tuple[Joint, ...]
    frame_time: float
    values: np.ndarray

    def positions(self) -> np.ndarray:
        """Compute the positions of all joints by forward kinematics.

        Returns:
            Positions, float64 [T, V, 3], in the unit of the file.
        """
        frames = len(self.values)
        positions = np.zeros((frames, len(self.joints), 3))
        rotations: list[np.ndarray] = []  # [T, 3, 3] per joint
        column = 0
        for number, joint in enumerate(self.joints):
            local = np.tile(np.array(joint.offset), (frames, 1))
            matrix = np.tile(np.eye(3), (frames, 1, 1))
            for axis, kind in joint.channels:
                value = self.values[:, column]
                column += 1
                if kind == "position":
                    local[:, axis] = value
                else:
                    matrix = matrix @ rotation(axis, value)
            if joint.parent >= 0:
                parent = rotations[joint.parent]
                local = (parent @ local[..., None])[..., 0] + positions[:, joint.parent]
                matrix = parent @ matrix
            positions[:, number] = local
            rotations.append(matrix)
        return positions


def read_bvh(content: bytes) -> Motion:
    """Parse the content of a BVH file.

    Raises:
        DataError: a line is invalid. The error contains the line number.
    """
    match = _MOTION.search(content)
    if match is None:
        raise DataError(
            "the line MOTION is missing, expected a HIERARCHY and a MOTION section",
            kind="structure" if b"HIERARCHY" in content[:1000] else "wrong-file-type",
        )
    joints = _Hierarchy(content[: match.start()]).joints
    first = content.count(b"\n", 0, match.end()) + 2  # line number of "Frames:"
    head, _, rest = content[match.end() :].partition(b"\n")[2].partition(b"\n")
    frames = _header(head, "Frames:", first)
    head, _, rest = rest.partition(b"\n")
    frame_time = _header(head, "Frame Time:", first + 1)
    if frames < 1 or frames != int(frames):
        raise _error(
            f"'Frames' is {frames:g}, expected a positive integer", "number", first
        )
    if frame_time <= 0:
        raise _error(
            f"'Frame Time' is {frame_time:g}, expected a positive number of seconds",
            "number",
            first + 1,
        )
    channels = sum(len(joint.channels) for joint in joints)
    try:
        values = read_number_lines(rest, channels)
    except DataError as error:
        line = (error.where.line or 1) + first + 1
        raise _error(error.message, error.kind, line) from None
    if len(values) != frames:
        raise _error(
            f"'Frames' is {frames:g}, but the file contains {len(values)} frames",
            "truncated" if len(values) < frames else "structure",
            first,
        )
    return Motion(tuple(joints), frame_time, values)


def _error(message: str, kind: str, line: int) -> DataError:
    return DataError(message, kind=kind, line=line)


def _header(content: bytes, name: str, line: int) -> float:
    text = content.decode("latin-1").strip()
    if not text.startswith(name):
        raise _error(f"the line is {text[:40]!r}, expected {name!r}", "structure", line)
    return _number(text.removeprefix(name).strip(), line)


def _number(text: str, line: int) -> float:
    try:
        value = math.nan if "_" in text else float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise _error(
            f"the value is {text[:40]!r}, expected a finite number", "number", line
        )
    return value


class _Hierarchy:
    """Parser for the HIERARCHY section of a BVH file.

    Open blocks are kept in a list, so Python's recursion limit does not limit the depth.
    """

    def __init__(self, content: bytes) -> None:
        text = content.decode("utf-8-sig", errors="replace")
        self.words = [
            (word, line)
            for line, row in enumerate(text.split("\n"), 1)
            for word in row.split()
        ]
        self.position = 0
        self.line = 1
        self.joints: list[Joint] = []
        self.names: set[str] = set()
        self._expect("HIERARCHY")
        while self.position < len(self.words):
            self._expect("ROOT")
            self._tree()
        if not self.joints:
            raise _error(
                "the HIERARCHY section is empty, expected ROOT", "structure", self.line
            )

    def _next(self) -> str:
        if self.position == len(self.words):
            raise _error(
                "the file is truncated within the HIERARCHY section",
                "truncated",
                self.line,
            )
        word, self.line = self.words[self.position]
        self.position += 1
        return word

    def _expect(self, *expected: str) -> str:
        word = self._next()
        if word not in expected:
            raise _error(
                f"the next word is {word[:40]!r}, expected {' or '.join(expected)}",
                "structure",
                self.line,
            )
        return word

    def _tree(self) -> None:
        """Parse a joint tree, from the name of its root to its closing brace."""
        parents = [-1]
        self._joint(parents)
        while len(parents) > 1:
            word = self._expect("JOINT", "End", "}")
            if word == "JOINT":
                self._joint(parents)
            elif word == "End":
                self._expect("Site")
                self._expect("{")
                self._offset()
                self._expect("}")
            else:
                parents.pop()

    def _joint(self, parents: list[int]) -> None:
        name = self._next()
        if name in self.names:
            raise _error(
                f"joint {name[:40]!r} is defined twice, expected unique names",
                "duplicate",
                self.line,
            )
        self.names.add(name)
        self._expect("{")
        offset = self._offset()
        self._expect("CHANNELS")
        count = self._next()
        if count not in set("0123456"):
            raise _error(
                f"the number of channels is {count[:40]!r}, expected 0 to 6",
                "number",
                self.line,
            )
        channels = tuple(self._channel() for _ in range(int(count)))
        if len(set(channels)) != len(channels):
            raise _error(
                f"joint {name[:40]!r} has a duplicate channel, expected each channel once",
                "duplicate",
                self.line,
            )
        self.joints.append(Joint(name, parents[-1], offset, channels))
        parents.append(len(self.joints) - 1)

    def _offset(self) -> tuple[float, float, float]:
        self._expect("OFFSET")
        x, y, z = (_number(self._next(), self.line) for _ in range(3))
        return x, y, z

    def _channel(self) -> tuple[int, str]:
        word = self._next()
        match = _CHANNEL.fullmatch(word)
        if match is None:
            raise _error(
                f"unknown channel {word[:40]!r}, expected X, Y, or Z followed by "
                "position or rotation",
                "structure",
                self.line,
            )
        return "XYZ".index(match[1]), match[2]
