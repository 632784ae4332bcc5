"""Validation of output paths before the work starts."""

import os
from pathlib import Path

from ..errors import DataError
from ..io import StrPath
from .store_format import check_replaceable

ENDINGS = (".pkl", ".packed")


def check_out(out: StrPath, endings: tuple[str, ...] = ENDINGS) -> str:
    """Check that an annotation file or packed store can be written to a path.

    Args:
        out: the path; it may end with a slash.
        endings: the allowed endings.

    Returns:
        The path without a trailing slash.

    Raises:
        DataError: the path has another ending (`file-name`), is a folder instead of a
            file (`wrong-path`), or exists and is not a packed store (`exists`).
    """
    out = os.fspath(out)
    path = out.rstrip(f"/{os.sep}") or out
    if not path.endswith(endings):
        forms = {".pkl": "an annotation file", ".packed": "a packed store"}
        allowed = " or ".join(f"{ending} ({forms[ending]})" for ending in endings)
        raise DataError(
            f"expected a name that ends in {allowed}", kind="file-name", file=out
        )
    if path.endswith(".packed"):
        check_replaceable(path)
    else:
        check_file(path)
    return path


def check_file(path: StrPath) -> None:
    """Check that an output path is not a folder.

    Raises:
        DataError: the path is a folder (`wrong-path`).
    """
    if Path(path).is_dir():
        raise DataError(
            "is a folder, expected the path of a file to write, such as a file in it",
            kind="wrong-path",
            file=os.fspath(path),
        )
