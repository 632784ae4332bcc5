"""Tests of BVH files: parsing, forward kinematics, and errors."""

import math

import numpy as np
import pytest

from errors import raises
from msg3d.errors import DataError
from msg3d.formats.bvh import read_bvh

# name -> parent, offset, channels
HAND = {
    "Hips": (
        None,
        (0, 0, 0),
        "Xposition Yposition Zposition Zrotation Xrotation Yrotation",
    ),
    "Chest": ("Hips", (1, 20, -3), "Yrotation Xrotation Zrotation"),
    "Arm": ("Chest", (15, 5, 0), "Xrotation Zposition Yrotation"),
    "Hand": ("Arm", (25, 0, 2), "Zrotation"),
    "Leg": ("Hips", (-8, -40, 0), ""),
}


def as_bvh(joints, values, frame_time="0.0333333"):
    """Return the text of a BVH file."""
    lines = ["HIERARCHY"]

    def add(name, depth):
        parent, offset, channels = joints[name]
        pad = "\t" * depth
        lines.append(f"{pad}{'JOINT' if parent else 'ROOT'} {name}")
        lines.append(pad + "{")
        lines.append(f"{pad}\tOFFSET {' '.join(map(str, offset))}")
        lines.append(f"{pad}\tCHANNELS {len(channels.split())} {channels} ")
        children = [child for child in joints if joints[child][0] == name]
        for child in children:
            add(child, depth + 1)
        if not children:
            lines.append(
                f"{pad}\tEnd Site\n{pad}\t{{\n{pad}\t\tOFFSET 1 2 3\n{pad}\t}}"
            )
        lines.append(pad + "}")

    for name in joints:
        if joints[name][0] is None:
            add(name, 0)
    lines += ["MOTION", f"Frames: {len(values)}", f"Frame Time: {frame_time}"]
    lines += [" ".join(map(repr, map(float, row))) for row in values]
    return "\n".join(lines) + "\n"


def reference_positions(joints, row):
    """Compute the positions of a frame with a simple reference implementation."""
    row = iter(row)
    positions, rotations = {}, {}

    def matmul(a, b):
        return [
            [sum(a[i][k] * b[k][j] for k in range(3)) for j in range(len(b[0]))]
            for i in range(3)
        ]

    for name, (parent, offset, channels) in joints.items():
        local = [float(value) for value in offset]
        rotation = [[float(i == j) for j in range(3)] for i in range(3)]
        for channel in channels.split():
            value = next(row)
            if channel.endswith("position"):
                local["XYZ".index(channel[0])] = value
                continue
            c, s = math.cos(math.radians(value)), math.sin(math.radians(value))
            matrix = {
                "X": [[1, 0, 0], [0, c, -s], [0, s, c]],
                "Y": [[c, 0, s], [0, 1, 0], [-s, 0, c]],
                "Z": [[c, -s, 0], [s, c, 0], [0, 0, 1]],
            }[channel[0]]
            rotation = matmul(rotation, matrix)
        if parent:
            translation = matmul(rotations[parent], [[value] for value in local])
            local = [
                a + b[0] for a, b in zip(positions[parent], translation, strict=True)
            ]
            rotation = matmul(rotations[parent], rotation)
        positions[name], rotations[name] = local, rotation
    return [positions[name] for name in joints]


def values(frames=4, seed=0):
    rng = np.random.default_rng(seed)
    count = sum(len(channels.split()) for _, _, channels in HAND.values())
    return rng.uniform(-180, 180, (frames, count))


def test_positions_match_the_reference():
    rows = values()
    motion = read_bvh(as_bvh(HAND, rows).encode())
    assert [joint.name for joint in motion.joints] == list(HAND)
    assert [joint.parent for joint in motion.joints] == [-1, 0, 1, 2, 0]
    assert motion.frame_time == pytest.approx(1 / 30, abs=1e-6)
    expected = [reference_positions(HAND, row) for row in rows]
    np.testing.assert_allclose(motion.positions(), expected, atol=1e-9)


def test_known_rotation():
    """A quarter turn about z maps x to y, and a quarter turn about x maps y to z."""
    joints = {
        "root": (None, (0, 0, 0), "Xrotation Zrotation"),
        "end": ("root", (2, 0, 0), ""),
    }
    motion = read_bvh(as_bvh(joints, [[90, 90], [0, 90], [0, 0]]).encode())
    expected = [[0, 0, 2], [0, 2, 0], [2, 0, 0]]
    np.testing.assert_allclose(motion.positions()[:, 1], expected, atol=1e-12)


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace("\t", " ").replace("{", "{ "),
        lambda text: "\ufeff" + text,
        lambda text: text + "\n\n",
        lambda text: text.replace("\tEnd Site", "\tEnd Site"),
    ],
)
def test_whitespace_variants(change):
    motion = read_bvh(change(as_bvh(HAND, values())).encode())
    expected = read_bvh(as_bvh(HAND, values()).encode())
    np.testing.assert_array_equal(motion.positions(), expected.positions())


def test_multiple_roots():
    joints = {**HAND, "Prop": (None, (1, 2, 3), "")}
    positions = read_bvh(as_bvh(joints, values()).encode()).positions()
    np.testing.assert_array_equal(positions[:, -1], [[1, 2, 3]] * 4)


def test_deep_hierarchy():
    """The depth exceeds Python's recursion limit."""
    depth = 3000
    lines = ["HIERARCHY"]
    for number in range(depth):
        lines.append(f"{'JOINT' if number else 'ROOT'} j{number} {{ OFFSET 0 1 0")
        lines.append("CHANNELS 0")
    lines += ["}"] * depth + ["MOTION", "Frames: 1", "Frame Time: 1"]
    with raises("empty"):  # a frame without numbers
        read_bvh("\n".join(lines).encode())


# Name -> change of the text, error kind, and line.
FAULTS = {
    "empty file": (lambda text: "", "wrong-file-type", None),
    "other file type": (lambda text: "{}", "wrong-file-type", None),
    "no motion": (lambda text: text.partition("MOTION")[0], "structure", None),
    "no hierarchy": (lambda text: text.replace("HIERARCHY", "X"), "structure", 1),
    "no joints": (lambda text: "HIERARCHY\nMOTION\nFrames: 1", "structure", 1),
    "offset": (lambda text: text.replace("1 20 -3", "1 x -3"), "number", 8),
    "NaN": (lambda text: text.replace("1 20 -3", "1 nan -3"), "number", 8),
    "channel": (lambda text: text.replace("3 Yrot", "3 Wrot"), "structure", 9),
    "channels": (lambda text: text.replace("CHANNELS 6", "CHANNELS 7"), "number", 5),
    "duplicate channels": (lambda text: text.replace("6 X", "6 Y"), "duplicate", 5),
    "duplicate joints": (
        lambda text: text.replace("JOINT Arm", "JOINT Hips"),
        "duplicate",
        10,
    ),
    "missing brace": (
        lambda text: text.replace("}\nMOTION", "MOTION"),
        "truncated",
        33,
    ),
    "frames": (lambda text: text.replace("Frames: 4", "Frames: x"), "number", 36),
    "zero frames": (lambda text: text.replace("Frames: 4", "Frames: 0"), "number", 36),
    "more frames": (
        lambda text: text.replace("Frames: 4", "Frames: 5"),
        "truncated",
        36,
    ),
    "fewer frames": (
        lambda text: text.replace("Frames: 4", "Frames: 3"),
        "structure",
        36,
    ),
    "frame time": (lambda text: text.replace("0.0333333", "0"), "number", 37),
    "no frame time": (lambda text: text.replace("Frame Time", "Time"), "structure", 37),
    "value": (lambda text: text.rstrip() + "x", "number", 41),
    "row": (lambda text: text + "1 2 3\n", "row", 42),
    "infinite": (lambda text: text.rstrip() + "e999", "not-finite", 41),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_errors(fault):
    change, kind, line = FAULTS[fault]
    with raises(kind, line=line):
        read_bvh(change(as_bvh(HAND, values())).encode())


def test_truncation_at_any_byte():
    content = as_bvh(HAND, values()).encode()
    for end in range(0, len(content) - 30, 7):
        with pytest.raises(DataError) as caught:
            read_bvh(content[:end])
        assert caught.value.kind
