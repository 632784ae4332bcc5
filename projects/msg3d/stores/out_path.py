"""Where results may be written, refused before the work and not after it."""

import os

from ..errors import DataError
from .store_format import refuse_foreign

ENDINGS = (".pkl", ".packed")


def check_out(out: str, endings: tuple[str, ...] = ENDINGS) -> str:
    """The path of an annotation file, or of a packed store, that can be written.

    Args:
        out: as a user gives it; a slash may end it.
        endings: what it may end in.

    Returns:
        The path without such a slash.

    Raises:
        DataError: another ending, a folder where a file is to be, or something
            else than a store where a store is to be.
    """
    out = os.fspath(out)
    path = out.rstrip(os.sep) or out
    if not path.endswith(endings):
        forms = {".pkl": "an annotation file", ".packed": "a packed store"}
        wanted = " or ".join(f"{one} ({forms[one]})" for one in endings)
        raise DataError(f"{out}: expected a name that ends in {wanted}")
    if path.endswith(".packed"):
        refuse_foreign(path)
    else:
        check_file(path)
    return path


def check_file(path: str) -> None:
    """Refuses a folder where a file is to be written.

    Raises:
        DataError: the path is a folder.
    """
    if os.path.isdir(path):
        raise DataError(
            f"{os.fspath(path)} is a folder: give the name of a file to write, such as "
            "one in it"
        )
