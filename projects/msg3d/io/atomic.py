"""Atomic file writes, which leave either a complete file or none."""

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
    """Open a temporary file for writing, and replace `path` when the block succeeds.

    The temporary file is in the same folder. An error or interruption neither leaves a
    partial file nor loses the previous file. Symbolic links are followed.

    Args:
        path: path of the file. Its folder is created if necessary.
        mode: "xb" for bytes or "x" for text, with `\\n` as the line end on all systems.
        encoding: encoding of text.

    Yields:
        The open temporary file.

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
    except OSError as error:  # report the path, not the temporary file
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
    """Write data to a JSON file atomically."""
    with whole_file(path, "x") as file:
        json.dump(content, file, indent=1)


def sync_file(file: IO[Any]) -> None:
    """Flush an open file to disk, so that it survives a power failure."""
    file.flush()
    os.fsync(file.fileno())


def sync_folder(path: StrPath) -> None:
    """Flush a folder to disk, after files in it were created or renamed."""
    if os.name == "nt":
        return  # Windows cannot open folders
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
