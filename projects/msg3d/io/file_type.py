"""Detection of file types from content, for error messages.

Failed downloads leave web pages or Git LFS pointers under the name of the file, and `.pkl`,
`.pth`, and `.npz` files are easily confused. Detection never executes code in a file, and
does not trust the sizes that the file claims.
"""

import zipfile
from pathlib import Path
from typing import BinaryIO

from ..errors import DataError, MSG3DError

ANNOTATIONS = "an annotation file"
SCORES = "a score file of `msg3d test`"
SCORES_NPZ = "an .npz file"
CHECKPOINT = "a checkpoint"
SAFETENSORS = "a .safetensors checkpoint"
PICKLE = "a pickle"
# Descriptions of expected files, and how to fix the error.
_EXPECTED = {
    ANNOTATIONS: "an annotation file. Pass the .pkl file with the samples.",
    SCORES: "a score file. Pass the .pkl file of `msg3d test ... --dump`, or NAME.npz.",
    SCORES_NPZ: "an .npz file with ids, scores, and labels. Fix the file extension.",
    CHECKPOINT: "a checkpoint. Pass a .pth or .safetensors file with weights.",
    SAFETENSORS: "a .safetensors checkpoint. Fix the file extension.",
    PICKLE: "a pickle with annotations or scores",
}
_ZIP = "a zip archive that is neither a checkpoint nor an .npz file"
_ONNX = "an ONNX network"
_EMPTY, _CORRUPT = "empty", "a truncated or corrupt zip archive"
_PAGE, _POINTER = "a web page", "a Git LFS pointer"
# Types that are never expected -> (error kind, how to fix the error).
_INVALID = {
    _EMPTY: ("empty", "Copy or download it again."),
    _CORRUPT: ("truncated", "Copy or download it again."),
    _PAGE: ("wrong-file-type", "Download the file again."),
    _POINTER: ("wrong-file-type", "Download the file with `git lfs pull`."),
}
_HEAD = 512
_OLD_CHECKPOINT = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."  # PyTorch before 1.6
# Number of bytes to search for words that distinguish pickles. The ids of a split, which
# precede the samples, take several MB.
_SEARCH_BYTES = 2**23


def mismatch(
    file: str | BinaryIO, expected: str, error_type: type[MSG3DError] = DataError
) -> MSG3DError | None:
    """Return an error that names the type of a file if it is not the expected type.

        raise mismatch(path, SCORES) or DataError(...)

    Args:
        file: path, or seekable file.
        expected: ANNOTATIONS, SCORES, SCORES_NPZ, CHECKPOINT, or SAFETENSORS. PICKLE for
            annotations or scores.
        error_type: class of the error.

    Returns:
        An error such as `the file is a web page. Download the file again.` (kind
        `wrong-file-type`, `empty`, or `truncated`). None if the type matches or cannot
        be detected.
    """
    if isinstance(file, str):
        try:
            with Path(file).open("rb") as stream:
                error = mismatch(stream, expected, error_type)
        except OSError:  # a URL, or a file that was removed
            return None
        return error and error.at(file=file)
    actual = _type(file)
    if actual in _INVALID:
        kind, advice = _INVALID[actual]
        return error_type(f"the file is {actual}. {advice}", kind=kind)
    if actual in (None, expected) or (
        PICKLE in (actual, expected) and _pickles(actual, expected)
    ):
        return None
    return error_type(
        f"the file is {actual}, expected {_EXPECTED[expected]}", kind="wrong-file-type"
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
    # Length of the JSON header in eight bytes, then the JSON.
    if head[7:9] == b"\0{":
        return SAFETENSORS
    # Protobuf: version, then producer, graph, or operator set.
    if head[:1] == b"\x08" and head[2:3] in (b"\x12", b"\x3a", b"\x42"):
        return _ONNX
    return None


def _zip_type(file: BinaryIO, head: bytes) -> str:
    # `is_zipfile` searches for the directory at the end, but does not read it.
    try:
        if not zipfile.is_zipfile(file):
            return _CORRUPT
    except zipfile.BadZipFile:  # corrupt in a way that resembles a multi-part archive
        return _CORRUPT
    first = head[30 : 30 + int.from_bytes(head[26:28], "little")]
    if first.endswith(b"/data.pkl"):
        return CHECKPOINT
    return SCORES_NPZ if first.endswith(b".npy") else _ZIP


def _pickle_type(file: BinaryIO) -> str:
    file.seek(0)
    start = file.read(_SEARCH_BYTES)
    if b"pred_score" in start:
        return SCORES
    return ANNOTATIONS if b"keypoint" in start else PICKLE
