"""Hypothesis strategies that corrupt files: bytes, or values within the format."""

import io
import json
import pickle
import pickletools
import re
import struct
import zipfile
from pathlib import PurePath

import numpy as np
from hostile_pickles import BOMBS, CODE, DEEP
from hypothesis import strategies as st

SIZES = (-1, 0, 1, 2**15, 2**31 - 1, 2**31, 2**32 - 1, 2**62, 2**63, 2**64 - 1)
WORDS = (
    *(b"-1", b"0", b"1e999", b"-1e300", b"NaN", b"Infinity", b"0x10", b"1_0", b"-"),
    *(b"9" * 23, b"2147483648", b"9" * 5000, b"", b"null", b'"7"', b"[]", b"{}", b"1e"),
    *(b"\n\n", b'"a', b"1.5.2", "\u0663".encode(), b"\xff\xfe", b"[" * DEEP),
    b'{"frames":' * DEEP,
)
PLAIN = (
    *(None, True, -1, 0, -0.5, 2**31, 2**63, 10**30, -(10**400), 1e300, float("nan")),
    *("", "7", "../../x", "\n", "\0", "é" * 300, [], [[]], {}, {"x": 1}, ["a", 1]),
    *([[1, 2], [3]], [0] * 100, {"~array": 1}, {"~bytes": "?"}, {"~x": 1}),
)
ARRAYS = (
    *(np.zeros((0, 3)), np.zeros((1, 2, 20, 3), complex), np.array(["a"]), np.array(3)),
    *(np.array([1, None], object), np.full((1, 9, 20, 3), np.nan, np.float32), b"\xff"),
    *(np.zeros((2, 3, 20, 3), "M8[s]"), np.ones(4, ">f8"), np.float32(1), {1, 2}),
    *(np.zeros(2, [("x", "f4"), ("y", "i8")]), np.bool_(True), (1, 2), 2**63 - 1),
)
OPCODES = (*(bytes([code]) for code in b"bRu021t}]N\x81Q"), b"(" * 3000)
DTYPES = ("f2", ">f8", "c16", "M8[s]", "U3", "?", "O", "i8", "V8", [("a", "f4")])
HEADERS = (
    *("'|O'", "'<U0'", "[('a', '|O')]", "'V0'", "''", "'<U99999999'", "'<f4'", "'?'"),
    "__import__('os')",
)
SHAPES = (
    *("(10000000000,)", "(-1, 20, 3)", "(-2, -3)", "()", "(0,)", "(1, 9, 20, 3)", "3"),
    *("(0, 10000000000000)", "(True, 3)", "(2.5,)", "(" * 90, "(None,)"),
)


def choose(draw, values):
    return draw(st.sampled_from(values))


def integer(draw, low, high):
    return draw(st.integers(low, high))


def corrupt_bytes(draw, content, other):
    """Flip, insert, replace, delete, duplicate, truncate, splice, or overwrite bytes."""
    # Most formats have their headers at the start.
    start = integer(draw, 0, choose(draw, [len(content), min(len(content), 200)]))
    before, after = content[:start], content[start:]
    length = integer(draw, 1, 60)
    new = draw(st.one_of(st.binary(max_size=40), st.sampled_from(WORDS)))
    ways = [
        bytes([*before, *(byte ^ length for byte in after[:2]), *after[2:]]),
        before + new + after,
        before + new + after[length:],
        before + after[length:],
        before + after[:length] * 20 + after,
        before,
        before + other[integer(draw, 0, len(other)) :],
        corrupt_size(draw, content, start),
    ]
    return choose(draw, ways)


def corrupt_size(draw, content, start):
    """Replace a binary number by a number that is too large or negative."""
    kind = choose(draw, ["<B", "<H", ">H", "<I", ">I", "<Q"])
    width = struct.calcsize(kind)
    number = struct.pack(kind, choose(draw, SIZES) % 256**width)
    return content[:start] + number + content[start + width :]


def replace_value(draw, data, others=PLAIN):
    """Copy plain data, and replace, remove, rename, or duplicate a value."""
    if isinstance(data, np.ndarray) and draw(st.booleans()):
        return change_array(draw, data)
    if isinstance(data, str) and data[:1] in ("{", "[") and draw(st.booleans()):
        return json.dumps(replace_value(draw, json.loads(data)))
    if not isinstance(data, (list, dict)) or not data or integer(draw, 0, 9) == 0:
        return choose(draw, others)
    copy = data.copy()
    key = choose(draw, list(data) if isinstance(data, dict) else range(len(data)))
    way = integer(draw, 0, 11)
    if way == 0:
        del copy[key]
    elif way == 1 and isinstance(data, list):
        copy.insert(key, data[key])
    elif way == 1:
        copy[str(choose(draw, others))] = copy.pop(key)
    else:
        copy[key] = replace_value(draw, data[key], others)
    return copy


def corrupt_json(draw, content):
    return json.dumps(replace_value(draw, json.loads(content))).encode()


def corrupt_text(draw, content):
    """Replace, remove, or duplicate a word or line of a text or table."""
    if draw(st.booleans()):
        words = list(re.finditer(rb"[^\s,;]+", content))
        word = choose(draw, words)
        new = choose(draw, WORDS)
        return content[: word.start()] + new + content[word.end() :]
    lines = content.splitlines(keepends=True)
    start, target = (integer(draw, 0, len(lines) - 1) for _ in range(2))
    if draw(st.booleans()):
        return b"".join(lines[:start] + lines[start + 1 :])
    return b"".join(lines[:target] + lines[start : start + 1] + lines[target:])


def change_array(draw, array):
    """Change the type, shape, order, or a value of an array."""
    way = integer(draw, 0, 5)
    if way == 0 and array.dtype.kind in "biuf":
        return array.astype(choose(draw, DTYPES))
    if way == 1:
        return array[tuple(slice(integer(draw, 0, 2), None) for _ in array.shape)]
    if way == 2:
        return choose(
            draw, [array[None], array.ravel(), array.T, np.atleast_1d(array)[:0]]
        )
    array = array.copy()
    values = array[choose(draw, array.dtype.names)] if array.dtype.names else array
    if values.size:
        index = integer(draw, 0, values.size - 1)
        if values.dtype.kind == "f":
            values.flat[index] = choose(draw, [np.nan, np.inf, 1e30, 2, -1])
        elif values.dtype.kind in "iu":
            limits = np.iinfo(values.dtype)
            number = choose(draw, [limits.min, limits.max, 2**30, -1, 0, 1, 5])
            values.flat[index] = min(max(number, limits.min), limits.max)
    return array


def corrupt_npy(draw, content):
    """Change the header or the array."""
    if integer(draw, 0, 4) == 0:
        header = "{{'descr': {}, 'fortran_order': {}, 'shape': {}, }}".format(
            choose(draw, HEADERS),
            choose(draw, ["True", "False", "1"]),
            choose(draw, SHAPES),
        )
        start = content.index(b"\n") + 1
        length = struct.pack("<H", len(header) + 1)
        return content[:8] + length + header.encode() + b"\n" + content[start:]
    file = io.BytesIO()
    np.save(file, change_array(draw, np.load(io.BytesIO(content))))
    return file.getvalue()


def corrupt_zip(draw, content):
    """Change or remove a member, with a correct checksum, or change the directory."""
    table = content.rindex(b"PK\x01\x02")
    if integer(draw, 0, 3) == 0:
        return corrupt_size(draw, content, table + integer(draw, 4, 60))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    name = choose(draw, list(members))
    if integer(draw, 0, 9) == 0:
        del members[name]
    else:
        members[name] = corrupt(draw, name, members[name], members[name])
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", choose(draw, [0, 8])) as archive:
        for member, data in members.items():
            archive.writestr(member, data)
    return file.getvalue()


def corrupt_safetensors(draw, content):
    length = int.from_bytes(content[:8], "little")
    header = corrupt_json(draw, content[8 : 8 + length])
    return struct.pack("<Q", len(header)) + header + content[8 + length :]


def corrupt_hdf5(draw, content):
    import h5py

    file = io.BytesIO(content)
    with h5py.File(file, "r+") as data:
        parent = data[choose(draw, sorted(data))]["body"]
        del parent["landmarks"]
        kind = choose(draw, ["f4", "i8", "S3", "c16", None])
        shape = choose(draw, [(24, 3), (24, 2), (0, 3), (), (2, 24, 3)])
        if kind:
            parent["landmarks"] = np.full(shape, choose(draw, [0, 1]), kind)
    return file.getvalue()


def corrupt_pickle(draw, content):
    """Change values, opcodes, globals, or sizes; insert code; or return a bomb."""
    way = integer(draw, 0, 9)
    if way < 4:
        try:
            data = pickle.loads(content)
        except (pickle.UnpicklingError, AttributeError):  # member of a checkpoint
            pass
        else:
            for _ in range(integer(draw, 1, 3)):
                data = replace_value(draw, data, PLAIN + ARRAYS)
            return pickle.dumps(data, protocol=integer(draw, 2, 5))
    if way == 4:
        return b"\x80\x02" + choose(draw, BOMBS) + b"."
    operations = list(pickletools.genops(content))
    start, target = (integer(draw, 1, len(operations) - 1) for _ in range(2))
    offsets = [offset for _, _, offset in operations] + [len(content)]
    before, after = content[: offsets[start]], content[offsets[start + 1] :]
    piece = content[offsets[start] : offsets[start + 1]]
    ways = [
        before + after,
        content[: offsets[target]] + piece + content[offsets[target] :],
        before + choose(draw, OPCODES) + piece + after,
        before + choose(draw, CODE) + piece + after,
    ]
    numbers = [
        (offsets[number], offsets[number + 1])
        for number, (operation, _, _) in enumerate(operations)
        if operation.name in ("BININT1", "BININT", "BININT2", "LONG1", "INT")
    ]
    if numbers:  # such as the length of an axis
        start, stop = choose(draw, numbers)
        value = choose(draw, [-1, 10**9, 2**40, 2**62, 0, 255])
        raw = b"\x8a\x09" + value.to_bytes(9, "little", signed=True)
        ways.append(content[:start] + raw + content[stop:])
    return choose(draw, ways)


INSIDE = {
    **dict.fromkeys((".csv", ".skeleton", ".txt"), corrupt_text),
    **dict.fromkeys((".npz", ".pth", ".zip"), corrupt_zip),
    **{
        ".hdf5": corrupt_hdf5,
        ".json": corrupt_json,
        ".npy": corrupt_npy,
        ".pkl": corrupt_pickle,
    },
    ".safetensors": corrupt_safetensors,
}


def corrupt(draw, name, content, other, inside=True):
    """Corrupt a file within its format if `inside`, else its bytes."""
    mutate = INSIDE.get(PurePath(name).suffix)
    if not inside or not content:
        return corrupt_bytes(draw, content, other)
    if mutate is None or (mutate is corrupt_zip and content[:2] != b"PK"):
        # Change a number in a binary header.
        return corrupt_size(draw, content, integer(draw, 0, min(len(content), 300)))
    return mutate(draw, content)
