"""Malicious pickles: code, exponentially large data, and false types and sizes."""

import struct

DEEP = 100_000
# Code that creates the folder CANARY in the current directory when it is executed.
CANARY = "msg3d_fuzz_canary"
_NAME = CANARY.encode()
PAYLOAD = b"cposix\nmkdir\n(V%s\ntR" % _NAME
CODE = (
    *(PAYLOAD, PAYLOAD + b"0", b"(V%s\niposix\nmkdir\n0" % _NAME),
    b"c__builtin__\neval\n(V__import__('os').mkdir('%s')\ntR0" % _NAME,
    b"\x8c\x05posix\x8c\x05mkdir\x93\x8c%c%s\x85R0" % (len(_NAME), _NAME),
    *(b"cnumpy\nndarray\n(I9\ntR0", b"ccollections\nOrderedDict\n)R}Vf\nI1\nsb0"),
    b"cnumpy\ndtype\n(VO\ntR}b0",
)
# A list that contains the same list twice, which again contains the same list twice, ...
ENDLESS = b"]q\x000" + b"".join(b"](h%ch%ceq%c0" % (n, n, n + 1) for n in range(60))
ENDLESS += b"h\x3c"


def _array(kind, shape, values):
    return (
        b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\nK\x00\x85U\x01btR"
        b"(K\x01" + shape + kind + b"\x89" + values + b"tb"
    )


_FLAGS = b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x3ftb"
_OBJECT = b"cnumpy\ndtype\n(U\x02O8K\x00K\x01tR(K\x03U\x01|" + _FLAGS
# An array that claims to contain a billion objects.
FALSE_OBJECTS = _array(_OBJECT, b"J" + struct.pack("<i", 10**9) + b"\x85", b"]")
# Eight bytes that claim to be a pointer to an object.
FALSE_FIELDS = _array(
    b"cnumpy\ndtype\n(U\x02V8K\x00K\x01tR(K\x03U\x01|N(U\x01at}U\x01a"
    + _OBJECT
    + b"K\x00\x86sK\x08K\x01K\x00tb",
    b"K\x01\x85",
    b"c_codecs\nencode\n(X\x08\x00\x00\x00AAAAAAAAU\x06latin1tR",
)
BOMBS = (
    *(ENDLESS, b"]" * DEEP + b"a" * (DEEP - 1), b"}U\x05split" + ENDLESS + b"s"),
    b"}U\x01k" * 20_000 + b"N" + b"s" * 20_000,
    b"](}(U\x09frame_dirU\x01aU\x08keypoint" + FALSE_OBJECTS + b"ue",
    *(
        b"](}(U\x09frame_dirU\x01aU\x05label" + value + b"ue"
        for value in (FALSE_FIELDS, ENDLESS)
    ),
    b"](}U\x09frame_dir" + ENDLESS + b"se",
    b"](}(U\x0apred_score" + ENDLESS + b"U\x08gt_label" + ENDLESS + b"ue",
)
