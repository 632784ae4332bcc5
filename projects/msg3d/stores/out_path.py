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
        out: output path. It may end with a slash.
        endings: allowed endings of the path.

    Returns:
        The path without a trailing slash.

    Raises:
        DataError: the path has another ending (kind `file-name`), is a folder instead of
            a file (kind `wrong-path`), or exists and is not a packed store (kind
            `exists`).
    """
    out = os.fspath(out)
    path = out.rstrip(f"/{os.sep}") or out
    if not path.endswith(endings):
        forms = {".pkl": "an annotation file", ".packed": "a packed store"}
        allowed = " or ".join(f"{ending} ({forms[ending]})" for ending in endings)
        raise DataError(
            f"the output path has the wrong ending, expected {allowed}",
            kind="file-name",
            file=out,
        )
    if path.endswith(".packed"):
        check_replaceable(path)
    else:
        check_file(path)
    return path


def check_file(path: StrPath) -> None:
    """Check that the path of an output file is not a folder.

    Raises:
        DataError: the path is a folder (kind `wrong-path`).
    """
    if Path(path).is_dir():
        raise DataError(
            "the output path is a folder, expected a file. Add a file name.",
            kind="wrong-path",
            file=os.fspath(path),
        )
