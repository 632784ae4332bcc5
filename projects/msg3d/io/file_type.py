"""Detection of a file's type from its bytes.

A failed download leaves a web page or a Git LFS pointer under the name of the file, and
`.pkl`, `.pth`, and `.npz` are easily exchanged. Nothing in the file is executed, and no
size that it claims is trusted.
"""

import zipfile
from pathlib import Path
from typing import BinaryIO

from ..errors import DataError, MSG3DError

ANNOTATIONS = "an annotation file"
SCORES = "a score file of `msg3d test`"
SCORES_NPZ = "an .npz of arrays"
CHECKPOINT = "a checkpoint"
SAFETENSORS = "a .safetensors checkpoint"
PICKLE = "a pickle"
# What follows "expected" in the error.
_EXPECTED = {
    ANNOTATIONS: "an annotation file: name the .pkl of samples",
    SCORES: "scores: name the .pkl of `msg3d test ... --dump`, or NAME.npz",
    SCORES_NPZ: "an .npz of ids, scores and labels: give the file its own ending",
    CHECKPOINT: "weights: name a checkpoint, ending in .pth or .safetensors",
    SAFETENSORS: "a .safetensors file: give the file its own ending",
    PICKLE: "a pickle of annotations or scores: name that",
}
_ZIP = "a zip archive that is neither a checkpoint nor an .npz"
_ONNX = "an ONNX network"
_EMPTY, _CUT = "empty", "a zip archive that is cut off or damaged"
_PAGE, _POINTER = "a web page", "a Git LFS pointer"
_AGAIN = ": copy or download it again"
_NOT_IT = ", not the file itself: download it again"
# Nobody expects these: the kind of the error, and what to do.
_DAMAGED = {
    _EMPTY: ("empty", _AGAIN),
    _CUT: ("truncated", _AGAIN),
    _PAGE: ("wrong-file-type", _NOT_IT),
    _POINTER: ("wrong-file-type", f"{_NOT_IT}, with `git lfs pull`"),
}
_HEAD = 512
_OLD_CHECKPOINT = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."  # torch before 1.6
# How far to search for words that distinguish pickles: the ids of a split, which come
# before the samples, take some MB.
_SEARCHED = 2**23


def mismatch(
    file: str | BinaryIO, expected: str, error_type: type[MSG3DError] = DataError
) -> MSG3DError | None:
    """Return the error that names the type of a file that is not the expected one.

        raise mismatch(path, SCORES) or DataError(...)

    Args:
        file: its path, or the file itself, which must be seekable.
        expected: ANNOTATIONS, SCORES, SCORES_NPZ, CHECKPOINT or SAFETENSORS; PICKLE for
            annotations or scores.
        error_type: the class of the error.

    Returns:
        An error such as `is a web page, not the file itself: download it again`, of kind
        "wrong-file-type", "empty", or "truncated"; None if nothing contradicts the
        expected type.
    """
    if isinstance(file, str):
        try:
            with Path(file).open("rb") as opened:
                error = mismatch(opened, expected, error_type)
        except OSError:  # a URL, or a file that was removed: nothing to look at
            return None
        return error and error.at(file=file)
    actual = _type(file)
    if actual in _DAMAGED:
        kind, advice = _DAMAGED[actual]
        return error_type(f"is {actual}{advice}", kind=kind)
    if actual in (None, expected) or (
        PICKLE in (actual, expected) and _pickles(actual, expected)
    ):
        return None
    return error_type(
        f"is {actual}, expected {_EXPECTED[expected]}", kind="wrong-file-type"
    )


def _pickles(*kinds: str) -> bool:
    return set(kinds) <= {PICKLE, ANNOTATIONS, SCORES}


def _type(file: BinaryIO) -> str | None:
    file.seek(0)
    head = file.read(_HEAD)
    if not head:
        return _EMPTY
    if head.startswith(b"version https://git-lfs"):
        return _POINTER
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        return _PAGE
    if head.startswith(b"PK\x03\x04"):
        return _zip_type(file, head)
    if head.startswith(_OLD_CHECKPOINT):
        return CHECKPOINT
    if head[:1] == b"\x80" and head[1:2] in (b"\2", b"\3", b"\4", b"\5"):
        return _pickle_type(file)
    # The length of its JSON, in eight bytes, and its JSON.
    if head[7:9] == b"\0{":
        return SAFETENSORS
    # A protobuf: its version, then producer, graph or operators' set.
    if head[:1] == b"\x08" and head[2:3] in (b"\x12", b"\x3a", b"\x42"):
        return _ONNX
    return None


def _zip_type(file: BinaryIO, head: bytes) -> str:
    # Its table of contents, at the end, is searched for and not read.
    try:
        if not zipfile.is_zipfile(file):
            return _CUT
    except zipfile.BadZipFile:  # damage that makes it one part of several
        return _CUT
    first = head[30 : 30 + int.from_bytes(head[26:28], "little")]
    if first.endswith(b"/data.pkl"):
        return CHECKPOINT
    return SCORES_NPZ if first.endswith(b".npy") else _ZIP


def _pickle_type(file: BinaryIO) -> str:
    file.seek(0)
    start = file.read(_SEARCHED)
    if b"pred_score" in start:
        return SCORES
    return ANNOTATIONS if b"keypoint" in start else PICKLE
