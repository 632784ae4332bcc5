"""What a file is that is not what was expected, told by its bytes.

A download that failed leaves a web page or a Git LFS pointer under the name of the file,
and `.pkl`, `.pth` and `.npz` are easily exchanged. Nothing of the file is executed,
and no size that it claims is believed.
"""

import zipfile
from typing import BinaryIO

ANNOTATIONS = "an annotation file"
SCORES = "a score file of `mim test`"
SCORES_NPZ = "an .npz of arrays"
CHECKPOINT = "a checkpoint"
SAFETENSORS = "a .safetensors checkpoint"
PICKLE = "a pickle"
# What is written behind "expected".
_EXPECTED = {
    ANNOTATIONS: "an annotation file: name the .pkl of samples",
    SCORES: "scores: name the .pkl of `mim test ... --dump`, or NAME.npz",
    SCORES_NPZ: "an .npz of ids, scores and labels: give the file its own ending",
    CHECKPOINT: "weights: name a checkpoint, ending in .pth or .safetensors",
    SAFETENSORS: "a .safetensors file: give the file its own ending",
    PICKLE: "a pickle of annotations or scores: name that",
}
_ZIP = "a zip archive that is neither a checkpoint nor an .npz"
_ONNX = "an ONNX network"
_EMPTY, _CUT = "empty", "a zip archive that is cut off or damaged"
_PAGE, _POINTER = "a web page", "a Git LFS pointer"
_ADVICE = {
    _EMPTY: ": copy or download it again",
    _CUT: ": copy or download it again",
    _PAGE: ", not the file itself: download it again",
    _POINTER: ", not the file itself: download it again, with `git lfs pull`",
}
_HEAD = 512
_OLD_CHECKPOINT = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."  # torch before 1.6
# How far words are looked for that tell one pickle from another: the ids of a split,
# which stand before the samples, take some MB.
_SEARCHED = 2**23


def mismatch(file: str | BinaryIO, expected: str) -> str | None:
    """What a file is and what to do, to be written behind its name.

    Args:
        file: its path, or the file itself, one that can seek.
        expected: ANNOTATIONS, SCORES, SCORES_NPZ, CHECKPOINT or SAFETENSORS; PICKLE for
            annotations or scores.

    Returns:
        `is a web page, not the file itself: download it again`, or None where nothing
        says that it is of another kind than expected.
    """
    if isinstance(file, str):
        try:
            with open(file, "rb") as opened:
                return mismatch(opened, expected)
        except OSError:  # a URL, or gone: there is nothing to look at
            return None
    kind = _kind(file)
    if kind in _ADVICE:
        return f"is {kind}{_ADVICE[kind]}"
    if (
        kind in (None, expected)
        or PICKLE in (kind, expected)
        and _pickles(kind, expected)
    ):
        return None
    return f"is {kind}, expected {_EXPECTED[expected]}"


def _pickles(*kinds: str) -> bool:
    return set(kinds) <= {PICKLE, ANNOTATIONS, SCORES}


def _kind(file: BinaryIO) -> str | None:
    file.seek(0)
    head = file.read(_HEAD)
    if not head:
        return _EMPTY
    if head.startswith(b"version https://git-lfs"):
        return _POINTER
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        return _PAGE
    if head.startswith(b"PK\x03\x04"):
        return _zip_kind(file, head)
    if head.startswith(_OLD_CHECKPOINT):
        return CHECKPOINT
    if head[:1] == b"\x80" and head[1:2] in (b"\2", b"\3", b"\4", b"\5"):
        return _pickle_kind(file)
    # The length of its JSON, in eight bytes, and its JSON.
    if head[7:9] == b"\0{":
        return SAFETENSORS
    # A protobuf: its version, then producer, graph or operators' set.
    if head[:1] == b"\x08" and head[2:3] in (b"\x12", b"\x3a", b"\x42"):
        return _ONNX
    return None


def _zip_kind(file: BinaryIO, head: bytes) -> str:
    # Its table of contents, which stands at the end, is looked for and not read.
    if not zipfile.is_zipfile(file):
        return _CUT
    first = head[30 : 30 + int.from_bytes(head[26:28], "little")]
    if first.endswith(b"/data.pkl"):
        return CHECKPOINT
    return SCORES_NPZ if first.endswith(b".npy") else _ZIP


def _pickle_kind(file: BinaryIO) -> str:
    file.seek(0)
    start = file.read(_SEARCHED)
    if b"pred_score" in start:
        return SCORES
    return ANNOTATIONS if b"keypoint" in start else PICKLE
