"""Hypothesis strategies that damage files: their bytes, or values inside their structure."""

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


def pick(draw, values):
    return draw(st.sampled_from(values))


def some(draw, low, high):
    return draw(st.integers(low, high))


def damaged(draw, content, other):
    """Flip, insert, replace, delete, duplicate, truncate, splice, or overwrite bytes."""
    # Most formats have their headers at the start.
    start = some(draw, 0, pick(draw, [len(content), min(len(content), 200)]))
    before, after = content[:start], content[start:]
    length = some(draw, 1, 60)
    new = draw(st.one_of(st.binary(max_size=40), st.sampled_from(WORDS)))
    ways = [
        bytes([*before, *(byte ^ length for byte in after[:2]), *after[2:]]),
        before + new + after,
        before + new + after[length:],
        before + after[length:],
        before + after[:length] * 20 + after,
        before,
        before + other[some(draw, 0, len(other)) :],
        sized(draw, content, start),
    ]
    return pick(draw, ways)


def sized(draw, content, start):
    """A binary number replaced by one that is too large, or negative."""
    kind = pick(draw, ["<B", "<H", ">H", "<I", ">I", "<Q"])
    width = struct.calcsize(kind)
    number = struct.pack(kind, pick(draw, SIZES) % 256**width)
    return content[:start] + number + content[start + width :]


def replaced(draw, data, others=PLAIN):
    """A copy of plain data in which a value is replaced, removed, renamed, or doubled."""
    if isinstance(data, np.ndarray) and draw(st.booleans()):
        return array_changed(draw, data)
    if isinstance(data, str) and data[:1] in ("{", "[") and draw(st.booleans()):
        return json.dumps(replaced(draw, json.loads(data)))
    if not isinstance(data, (list, dict)) or not data or some(draw, 0, 9) == 0:
        return pick(draw, others)
    copy = data.copy()
    key = pick(draw, list(data) if isinstance(data, dict) else range(len(data)))
    way = some(draw, 0, 11)
    if way == 0:
        del copy[key]
    elif way == 1 and isinstance(data, list):
        copy.insert(key, data[key])
    elif way == 1:
        copy[str(pick(draw, others))] = copy.pop(key)
    else:
        copy[key] = replaced(draw, data[key], others)
    return copy


def in_json(draw, content):
    return json.dumps(replaced(draw, json.loads(content))).encode()


def in_text(draw, content):
    """A word or line of a text or table replaced, removed, or doubled."""
    if draw(st.booleans()):
        words = list(re.finditer(rb"[^\s,;]+", content))
        word = pick(draw, words)
        new = pick(draw, WORDS)
        return content[: word.start()] + new + content[word.end() :]
    lines = content.splitlines(keepends=True)
    start, to = (some(draw, 0, len(lines) - 1) for _ in range(2))
    if draw(st.booleans()):
        return b"".join(lines[:start] + lines[start + 1 :])
    return b"".join(lines[:to] + lines[start : start + 1] + lines[to:])


def array_changed(draw, array):
    """An array of another type, shape, or order, or with another value."""
    way = some(draw, 0, 5)
    if way == 0 and array.dtype.kind in "biuf":
        return array.astype(pick(draw, DTYPES))
    if way == 1:
        return array[tuple(slice(some(draw, 0, 2), None) for _ in array.shape)]
    if way == 2:
        return pick(draw, [array[None], array.ravel(), array.T, array[:0]])
    array = array.copy()
    values = array[pick(draw, array.dtype.names)] if array.dtype.names else array
    if values.size:
        place = some(draw, 0, values.size - 1)
        if values.dtype.kind == "f":
            values.flat[place] = pick(draw, [np.nan, np.inf, 1e30, 2, -1])
        elif values.dtype.kind in "iu":
            limits = np.iinfo(values.dtype)
            number = pick(draw, [limits.min, limits.max, 2**30, -1, 0, 1, 5])
            values.flat[place] = min(max(number, limits.min), limits.max)
    return array


def in_npy(draw, content):
    """Another header, or another array."""
    if some(draw, 0, 4) == 0:
        header = "{{'descr': {}, 'fortran_order': {}, 'shape': {}, }}".format(
            pick(draw, HEADERS),
            pick(draw, ["True", "False", "1"]),
            pick(draw, SHAPES),
        )
        start = content.index(b"\n") + 1
        length = struct.pack("<H", len(header) + 1)
        return content[:8] + length + header.encode() + b"\n" + content[start:]
    file = io.BytesIO()
    np.save(file, array_changed(draw, np.load(io.BytesIO(content))))
    return file.getvalue()


def in_zip(draw, content):
    """A member changed or removed, with the correct checksum; or the table of members."""
    table = content.rindex(b"PK\x01\x02")
    if some(draw, 0, 3) == 0:
        return sized(draw, content, table + some(draw, 4, 60))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    name = pick(draw, list(members))
    if some(draw, 0, 9) == 0:
        del members[name]
    else:
        members[name] = changed(draw, name, members[name], members[name])
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", pick(draw, [0, 8])) as archive:
        for member, data in members.items():
            archive.writestr(member, data)
    return file.getvalue()


def in_safetensors(draw, content):
    length = int.from_bytes(content[:8], "little")
    header = in_json(draw, content[8 : 8 + length])
    return struct.pack("<Q", len(header)) + header + content[8 + length :]


def in_hdf5(draw, content):
    import h5py

    file = io.BytesIO(content)
    with h5py.File(file, "r+") as data:
        parent = data[pick(draw, sorted(data))]["body"]
        del parent["landmarks"]
        kind = pick(draw, ["f4", "i8", "S3", "c16", None])
        shape = pick(draw, [(24, 3), (24, 2), (0, 3), (), (2, 24, 3)])
        if kind:
            parent["landmarks"] = np.full(shape, pick(draw, [0, 1]), kind)
    return file.getvalue()


def in_pickle(draw, content):
    """Other values, opcodes, globals, or sizes; code; or a small file of endless data."""
    way = some(draw, 0, 9)
    if way < 4:
        try:
            data = pickle.loads(content)
        except (pickle.UnpicklingError, AttributeError):  # a member of a checkpoint
            pass
        else:
            for _ in range(some(draw, 1, 3)):
                data = replaced(draw, data, PLAIN + ARRAYS)
            return pickle.dumps(data, protocol=some(draw, 2, 5))
    if way == 4:
        return b"\x80\x02" + pick(draw, BOMBS) + b"."
    operations = list(pickletools.genops(content))
    start, to = (some(draw, 1, len(operations) - 1) for _ in range(2))
    places = [place for _, _, place in operations] + [len(content)]
    before, after = content[: places[start]], content[places[start + 1] :]
    piece = content[places[start] : places[start + 1]]
    ways = [
        before + after,
        content[: places[to]] + piece + content[places[to] :],
        before + pick(draw, OPCODES) + piece + after,
        before + pick(draw, CODE) + piece + after,
    ]
    numbers = [
        (places[number], places[number + 1])
        for number, (operation, _, _) in enumerate(operations)
        if operation.name in ("BININT1", "BININT", "BININT2", "LONG1", "INT")
    ]
    if numbers:  # such as the length of an axis
        start, stop = pick(draw, numbers)
        value = pick(draw, [-1, 10**9, 2**40, 2**62, 0, 255])
        raw = b"\x8a\x09" + value.to_bytes(9, "little", signed=True)
        ways.append(content[:start] + raw + content[stop:])
    return pick(draw, ways)


INSIDE = {
    **dict.fromkeys((".csv", ".skeleton", ".txt"), in_text),
    **dict.fromkeys((".npz", ".pth", ".zip"), in_zip),
    **{".hdf5": in_hdf5, ".json": in_json, ".npy": in_npy, ".pkl": in_pickle},
    ".safetensors": in_safetensors,
}


def changed(draw, name, content, other, inside=True):
    """A file changed inside its structure, or else in its bytes."""
    mutate = INSIDE.get(PurePath(name).suffix)
    if not inside or not content:
        return damaged(draw, content, other)
    if mutate is None or (mutate is in_zip and content[:2] != b"PK"):
        # The numbers of a binary header.
        return sized(draw, content, some(draw, 0, min(len(content), 300)))
    return mutate(draw, content)
