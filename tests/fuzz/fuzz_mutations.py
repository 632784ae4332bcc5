"""What happens to files: by accident, and by somebody who makes them happen."""

import io
import json
import pickle
import pickletools
import re
import struct
import zipfile

import numpy as np

HUGE = (-1, 0, 2**15, 2**31 - 1, 2**31, 2**32 - 1, 2**62, 2**63, 2**64 - 1)
NUMBER = re.compile(rb"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")
WORDS = (
    *(b"-1", b"0", b"1e999", b"-1e300", b"NaN", b"Infinity", b"nan", b"inf", b"0x10"),
    *(b"1_0", b"99999999999999999999999", b"2147483648", b"9" * 5000, b"", b"null"),
    *(b"true", b'"7"', b"[]", b"{}", b"1.5.2", "٣".encode(), b"\xff\xfe", b"-", b"1e"),
)
DEEP = 100_000


def flip(rng, content, _):
    content = bytearray(content)
    for place in rng.integers(len(content), size=rng.integers(1, 6)):
        content[place] ^= 1 << rng.integers(8)
    return bytes(content)


def flip_early(rng, content, _):
    """Where most formats have their headers."""
    content = bytearray(content)
    for place in rng.integers(min(len(content), 200), size=rng.integers(1, 4)):
        content[place] = rng.integers(256)
    return bytes(content)


def cut(rng, content, _):
    return content[: rng.integers(len(content) + 1)]


def insert(rng, content, _):
    place = rng.integers(len(content) + 1)
    new = rng.bytes(rng.integers(1, 40)) if rng.random() < 0.5 else b"\n" * 3
    return content[:place] + new + content[place:]


def delete(rng, content, _):
    start = rng.integers(len(content) + 1)
    return content[:start] + content[start + rng.integers(1, 60) :]


def repeat(rng, content, _):
    start, length = rng.integers(len(content) + 1), rng.integers(1, 400)
    piece = content[start : start + length]
    return content[:start] + piece * rng.integers(2, 30) + content[start:]


def splice(rng, content, other):
    return (
        content[: rng.integers(len(content) + 1)]
        + other[rng.integers(len(other) + 1) :]
    )


def size(rng, content, _):
    """A binary number by one that is too large, or negative."""
    kind = "<" + "BHIQ"[rng.integers(4)]
    width = struct.calcsize(kind)
    end = len(content) if rng.random() < 0.5 else 300
    place = rng.integers(max(1, min(end, len(content)) - width))
    value = HUGE[rng.integers(len(HUGE))] % 256**width
    return content[:place] + struct.pack(kind, value) + content[place + width :]


def number(rng, content, _):
    """A number in a text by what is none, or an unlikely one."""
    found = list(NUMBER.finditer(content[:200_000]))
    if not found:
        return flip(rng, content, _)
    one = found[rng.integers(len(found))]
    return content[: one.start()] + _word(rng) + content[one.end() :]


def nest(rng, content, _):
    kind = rng.integers(4)
    if kind == 0:
        return b"[" * DEEP
    if kind == 1:
        return b'{"frames":' * DEEP
    place = rng.integers(len(content) + 1)
    return content[:place] + b"[" * DEEP + b"]" * DEEP * (kind == 2) + content[place:]


BYTES = (flip, flip_early, cut, insert, delete, repeat, splice, size)
TEXT = (flip, flip_early, cut, insert, delete, repeat, splice, number, number, nest)


def _word(rng):
    return WORDS[rng.integers(len(WORDS))]


# Data within files ----------------------------------------------------------------

PLAIN = (
    *(
        None,
        True,
        -1,
        0,
        10**30,
        -(10**400),
        2**63,
        1e300,
        float("nan"),
        "",
        "7",
        [],
        [[]],
    ),
    *(
        {},
        {"x": 1},
        "é" * 300,
        ["a", 1],
        [[1, 2], [3]],
        -0.5,
        2**31,
        "../../x",
        "\n",
        "\0",
    ),
)
ARRAYS = (
    *(
        np.zeros((0, 3)),
        np.zeros((1, 2, 20, 3), complex),
        np.array(["a"]),
        np.float32(1),
    ),
    *(np.array([1, None], object), np.full((1, 9, 20, 3), np.nan, np.float32), b"\xff"),
    *(np.zeros((2, 3, 20, 3), "M8[s]"), np.array(3), {1, 2}, (1, 2), np.ones(4, ">f8")),
    *(np.zeros(2, [("x", "f4"), ("y", "i8")]), np.bool_(True), np.iinfo(np.int64).min),
)


def replaced(rng, data, others=PLAIN):
    """A copy of plain data with something in it replaced, left out or doubled."""
    if rng.random() < 0.2 or not isinstance(data, (list, dict)) or not data:
        return others[rng.integers(len(others))]
    copy = data.copy()
    keys = list(data) if isinstance(data, dict) else range(len(data))
    key = keys[rng.integers(len(keys))]
    deed = rng.random()
    if deed < 0.1:
        del copy[key]
    elif deed < 0.15 and isinstance(data, list):
        copy.insert(key, data[rng.integers(len(data))])
    elif deed < 0.2 and isinstance(data, dict):
        copy[others[rng.integers(len(others))].__str__()] = copy.pop(key)
    else:
        copy[key] = replaced(rng, data[key], others)
    return copy


def json_value(rng, content, _):
    try:
        data = json.loads(content)
    except (ValueError, RecursionError):
        return flip(rng, content, _)
    for _ in range(rng.integers(1, 4)):
        data = replaced(rng, data)
    return json.dumps(data).encode()


JSON = (*TEXT, json_value, json_value, json_value, json_value)


# Pickles ----------------------------------------------------------------------------


def payload(canary):
    """Opcodes that make a folder when they are executed."""
    return b"cposix\nmkdir\n(V" + str(canary).encode() + b"\ntR"


def pickle_code(rng, content, _, canary):
    """Code at a place where the unpickler expects a new opcode."""
    place = _opcode(rng, content)
    if place is None:
        return flip(rng, content, _)
    kinds = (
        payload(canary) + b"0",
        payload(canary),
        b"c__builtin__\neval\n(V__import__('os').mkdir('%s')\ntR0"
        % str(canary).encode(),
        b"(V%s\niposix\nmkdir\n0" % str(canary).encode(),
        b"\x8c\x05posix\x8c\x05mkdir\x93\x8c"
        + bytes([len(str(canary)) % 256])
        + str(canary).encode()
        + b"\x85R0",
        b"cnumpy\nndarray\n(I9\ntR0",
        b"ccollections\nOrderedDict\n)R}Vf\nI1\nsb0",
        b"cnumpy\ndtype\n(VO\ntR}b0",
    )
    return content[:place] + kinds[rng.integers(len(kinds))] + content[place:]


def pickle_opcode(rng, content, _):
    """Opcodes taken away, doubled, or put in from elsewhere."""
    try:
        places = [one[2] for one in pickletools.genops(content)] + [len(content)]
    except Exception:
        return flip(rng, content, _)
    first, second = sorted(rng.integers(len(places) - 1, size=2))
    piece = content[places[first] : places[first + 1]]
    at = places[second]
    deed = rng.integers(4)
    if deed == 0:
        return content[: places[first]] + content[places[first + 1] :]
    if deed == 1:
        return content[:at] + piece + content[at:]
    if deed == 2:
        new = (
            b"b",
            b"R",
            b"u",
            b"0",
            b"2",
            b"1",
            b"t",
            b"}",
            b"]",
            b"N",
            b"\x81",
            b"Q",
        )
        return content[:at] + new[rng.integers(len(new))] + content[at:]
    return content[:at] + b"(" * int(rng.integers(1, 3000)) + content[at:]


def pickle_shape(rng, content, _):
    """A small number by a large one: lengths of axes, and much else."""
    places = [
        (where, one.name, argument)
        for one, argument, where in _ops(content)
        if one.name in ("BININT1", "BININT", "BININT2", "LONG1", "INT")
    ]
    if not places:
        return flip(rng, content, _)
    where, name, _ = places[rng.integers(len(places))]
    length = dict(BININT1=2, BININT2=3, BININT=5).get(name)
    if length is None:
        return flip(rng, content, _)
    value = (-1, 10**9, 2**40, 2**62, 0, 255)[rng.integers(6)]
    raw = value.to_bytes(9, "little", signed=True)
    return content[:where] + b"\x8a\x09" + raw + content[where + length :]


def pickle_value(rng, content, _):
    """Whole again, with other values in it."""
    data = pickle.loads(content)
    for _ in range(rng.integers(1, 4)):
        data = replaced(rng, data, PLAIN + ARRAYS)
    return pickle.dumps(data, protocol=int(rng.integers(2, 6)))


def pickle_bomb(rng, content, _):
    """Small files of endless text, of deep containers, or of types that lie."""
    bombs = (
        ENDLESS,
        b"]" * DEEP + b"a" * (DEEP - 1),
        b"}U\x01k" * 20_000 + b"N" + b"s" * 20_000,
        b"](}(U\x09frame_dirU\x01aU\x08keypoint" + LYING_OBJECTS + b"ue",
        b"](}(U\x09frame_dirU\x01aU\x05label" + LYING_FIELDS + b"ue",
        b"](}U\x09frame_dir" + ENDLESS + b"se",
        b"](}(U\x09frame_dirU\x01aU\x05label" + ENDLESS + b"ue",
        b"](}(U\x0apred_score" + ENDLESS + b"U\x08gt_label" + ENDLESS + b"ue",
        b"}U\x05split" + ENDLESS + b"s",
    )
    return b"\x80\x02" + bombs[rng.integers(len(bombs))] + b"."


# A list of two lists that are the same list of two lists that ...
ENDLESS = (
    b"]q\x000"
    + b"".join(b"](h%ch%ceq%c0" % (level, level, level + 1) for level in range(60))
    + b"h\x3c"
)


def _array(kind, shape, values):
    return (
        b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\nK\x00\x85U\x01btR"
        b"(K\x01" + shape + kind + b"\x89" + values + b"tb"
    )


_OBJECT = b"cnumpy\ndtype\n(U\x02O8K\x00K\x01tR(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x3ftb"
_BILLION = b"J" + struct.pack("<i", 10**9) + b"\x85"
LYING_OBJECTS = _array(_OBJECT, _BILLION, b"]")
# Eight bytes that are said to be a pointer to an object.
LYING_FIELDS = _array(
    b"cnumpy\ndtype\n(U\x02V8K\x00K\x01tR(K\x03U\x01|N(U\x01at}U\x01a"
    + _OBJECT
    + b"K\x00\x86sK\x08K\x01K\x00tb",
    b"K\x01\x85",
    b"c_codecs\nencode\n(X\x08\x00\x00\x00AAAAAAAAU\x06latin1tR",
)


def _ops(content):
    try:
        return list(pickletools.genops(content))
    except Exception:
        return []


def _opcode(rng, content):
    places = [where for _, _, where in _ops(content)]
    # Behind the protocol; a frame of protocol 4 is as long as it says.
    return places[rng.integers(1, len(places))] if len(places) > 1 else None


PICKLE = (*BYTES, pickle_opcode, pickle_shape, pickle_value, pickle_value, pickle_bomb)


# Archives and headers ---------------------------------------------------------------


def zip_directory(rng, content, _):
    """Sizes, offsets, names and methods where a zip's table of members lies."""
    start = content.find(b"PK\x01\x02")
    if start < 0:
        return flip(rng, content, _)
    table = size(rng, content[start:], _) if rng.random() < 0.6 else None
    return content[:start] + (table or flip(rng, content[start:], _))


def zip_member(mutate):
    """A member changed, with the checksum of what it is now."""

    def change(rng, content, other):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = {one: archive.read(one) for one in archive.namelist()}
        name = list(members)[rng.integers(len(members))]
        if rng.random() < 0.08:
            del members[name]
        else:
            members[name] = mutate(rng, members[name], other)
        file = io.BytesIO()
        method = zipfile.ZIP_DEFLATED if rng.random() < 0.1 else zipfile.ZIP_STORED
        with zipfile.ZipFile(file, "w", method) as archive:
            for one, inside in members.items():
                archive.writestr(one, inside)
        return file.getvalue()

    change.__name__ = f"zip_member_{mutate.__name__}"
    return change


def npy_header(rng, content, _):
    """Shape, type and order as somebody may write them."""
    start = content.find(b"\x93NUMPY")
    end = content.find(b"\n", start)
    if start < 0 or end < 0:
        return flip(rng, content, _)
    shapes = (
        "(10000000000,)",
        "(-1, 20, 3)",
        "(-2, -3)",
        "()",
        "(0,)",
        "(1, 9, 20, 3)",
    )
    shapes += ("(0, 10000000000000)", "(True, 3)", "(2.5,)", "3", "(" * 90, "(None,)")
    types = ("'<f4'", "'|O'", "'<f8'", "'<U0'", "'<c16'", "[('a', '|O')]", "'V0'", "''")
    types += ("'<U99999999'", "'<M8[s]'", "'<f2'", "'>i4'", "'|b1'", "__import__('os')")
    text = "{'descr': %s, 'fortran_order': %s, 'shape': %s, }" % (
        types[rng.integers(len(types))],
        ("True", "False", "1")[rng.integers(3)],
        shapes[rng.integers(len(shapes))],
    )
    header = text.encode().ljust(117) + b"\n"
    magic = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header))
    return content[:start] + magic + header + content[end + 1 :]


def safetensors_header(rng, content, _):
    length = int.from_bytes(content[:8], "little")
    data = replaced(rng, json.loads(content[8 : 8 + length]))
    header = json.dumps(data).encode()
    return struct.pack("<Q", len(header)) + header + content[8 + length :]
