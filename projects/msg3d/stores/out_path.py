"""Output paths, checked before the work starts."""

import os
from pathlib import Path

from ..errors import DataError
from ..io import StrPath
from .store_format import refuse_foreign

ENDINGS = (".pkl", ".packed")


def check_out(out: StrPath, endings: tuple[str, ...] = ENDINGS) -> str:
    """Check that an annotation file or packed store can be written to a path.

    Args:
        out: the path as a user types it; it may end with a slash.
        endings: the allowed endings.

    Returns:
        The path without the slash.

    Raises:
        DataError: the path has another ending (`file-name`), is a folder where a file
            is to be written (`wrong-path`), or something else than a store where a
            store is to be written (`exists`).
    """
    out = os.fspath(out)
    path = out.rstrip(f"/{os.sep}") or out
    if not path.endswith(endings):
        forms = {".pkl": "an annotation file", ".packed": "a packed store"}
        wanted = " or ".join(f"{ending} ({forms[ending]})" for ending in endings)
        raise DataError(
            f"expected a name that ends in {wanted}", kind="file-name", file=out
        )
    if path.endswith(".packed"):
        refuse_foreign(path)
    else:
        check_file(path)
    return path


def check_file(path: StrPath) -> None:
    """Refuse a folder where a file is to be written.

    Raises:
        DataError: the path is a folder (`wrong-path`).
    """
    if Path(path).is_dir():
        raise DataError(
            "is a folder, expected the name of a file to write, such as one in it",
            kind="wrong-path",
            file=os.fspath(path),
        )
