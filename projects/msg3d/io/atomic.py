"""Atomic writes: a file is complete or not there."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from . import StrPath


@contextmanager
def whole_file(
    path: StrPath, mode: str = "xb", encoding: str = "utf-8"
) -> Iterator[IO[Any]]:
    """Write a new file that replaces `path` when the block ends without an error.

    Until then it has another name in the same folder, so that neither an error nor an
    interruption leaves half a file or loses the old one. A link is followed.

    Args:
        path: its folder is created if necessary.
        mode: "xb" or "x", for bytes or text, whose lines end in `\\n` on all systems.
        encoding: of text.

    Raises:
        OSError: the file cannot be written.
    """
    target = Path(os.path.realpath(path))
    temporary = Path(f"{target}.{os.getpid()}.tmp")
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        if "b" in mode:
            file: IO[Any] = temporary.open(mode)
        else:
            file = temporary.open(mode, encoding=encoding, newline="\n")
    except OSError as error:  # names the file that the user knows
        raise OSError(error.errno, error.strerror, os.fspath(path)) from None
    try:
        with file:
            yield file
            sync_file(file)
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_json(content: Any, path: StrPath) -> None:
    """Write JSON, atomically."""
    with whole_file(path, "x") as file:
        json.dump(content, file, indent=1)


def sync_file(file: IO[Any]) -> None:
    """Write an open file to the disk, so that it survives a power failure."""
    file.flush()
    os.fsync(file.fileno())


def sync_folder(path: StrPath) -> None:
    """Write the names in a folder to the disk, after files in it were made or renamed."""
    if os.name == "nt":
        return  # Windows does not open folders
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
