"""The raw files of a data set, in a folder or an archive, read in memory.

Nothing is written to disk, so a member's path is only ever a label: one that
climbs out of its folder (`../`) or that is a link does no harm.
"""

import lzma
import os
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from functools import lru_cache
from pathlib import PurePosixPath
from typing import NamedTuple

from ..errors import DataError

# Far above any sequence of joints; keeps a lying archive out of memory.
MAX_BYTES = 64 * 2**20

File = tuple[str, bytes | None]


class RawFile(NamedTuple):
    """One file that can be read by itself, in any process.

    Attributes:
        name: its path within the raw data, for people.
        stamp: what changes when its content does.
        path: the file, or the zip that holds it.
        member: its name in the zip; None for a file of its own.
    """

    name: str
    stamp: tuple
    path: str
    member: str | None = None

    def read(self) -> bytes:
        if self.member is None:
            with open(self.path, "rb") as file:
                return file.read()
        with _errors_named(self.path):
            archive = _open_zip(self.path, self.stamp[0], os.getpid())
            member = archive.getinfo(self.member)
            with archive.open(member) as file:
                # As much as it says: without a number, zipfile unpacks 2 GiB at once.
                return file.read(member.file_size)


@lru_cache(maxsize=4)
def _open_zip(path: str, stamp: int, process: int) -> zipfile.ZipFile:
    """Kept open: its table, of all files, takes longer to read than one of them.

    Processes that share an open file disturb each other's reading.
    """
    return zipfile.ZipFile(path)


def list_files(
    raw: str, suffix: str, max_bytes: int | None = None
) -> tuple[list[RawFile], list[str]] | None:
    """The files of a folder or zip, sorted by name.

    Args:
        raw: a folder, in which zips may lie too, or an archive (.zip, .tar, .tar.xz,
            .tar.gz, .tar.bz2).
        suffix: how the wanted ones end, such as ".json".
        max_bytes: of a wanted file; None for 64 MiB.

    Returns:
        The wanted files, and the names of all others: of another suffix, hidden,
        not regular or above `max_bytes`. None for a tar, which has no list of its files.

    Raises:
        DataError: nothing there, no archive, or a damaged one.
    """
    raw = os.fspath(raw)
    if os.path.isdir(raw):
        return _list_folder(raw, suffix, max_bytes)
    _refuse_missing(raw, suffix)
    if not zipfile.is_zipfile(raw):
        return None
    return _list_zip(raw, suffix, max_bytes)


def read_files(raw: str, suffix: str, max_bytes: int | None = None) -> Iterator[File]:
    """The files of `raw`, in the order they come, in this process.

    Args:
        raw, suffix, max_bytes: as in `list_files`.

    Yields:
        The path within `raw`, and the bytes: None for the others of `list_files`.

    Raises:
        DataError: nothing there, no archive, or a damaged one.
    """
    listed = list_files(raw, suffix, max_bytes)
    with _errors_named(raw):
        if listed is None:
            yield from _from_tar(raw, suffix, max_bytes)
            return
        files, others = listed
        for file in files:
            yield file.name, file.read()
        for name in others:
            yield name, None


def _refuse_missing(raw, suffix):
    if not os.path.exists(raw):
        raise DataError(
            f"raw data {raw} do not exist: name the folder or archive of {suffix} files"
        )


class _errors_named:
    """What a damaged archive raises, as one sentence that names it."""

    DAMAGES = (
        tarfile.TarError,
        zipfile.BadZipFile,
        lzma.LZMAError,
        zlib.error,
        EOFError,
        OSError,  # a gzip that is none
        RuntimeError,  # a zip with a password
    )

    def __init__(self, raw: str) -> None:
        self.raw = raw

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind, error, traceback) -> None:
        if isinstance(error, self.DAMAGES) and not os.path.isdir(self.raw):
            # tarfile lists every way it tried, a line each.
            why = " ".join(str(error).split()) or type(error).__name__
            raise DataError(
                f"raw data {self.raw} cannot be read as a tar.xz, tar.gz or zip archive "
                f"({why:.300}): download it again"
            ) from error


def _wanted(path: str, size: int, suffix: str, max_bytes: int | None) -> bool:
    # macOS adds a `._NAME` beside every NAME.
    hidden = PurePosixPath(path).name.startswith(".")
    limit = MAX_BYTES if max_bytes is None else max_bytes
    return path.endswith(suffix) and not hidden and size <= limit


def _list_zip(
    raw: str, suffix: str, max_bytes: int | None, folder: str = ""
) -> tuple[list[RawFile], list[str]]:
    files, others = [], []
    state = os.stat(raw)
    stamp = state.st_mtime_ns
    with _errors_named(raw), zipfile.ZipFile(raw) as archive:
        for member in sorted(archive.infolist(), key=lambda one: one.filename):
            name = member.filename
            if name.endswith("/"):
                continue
            if member.compress_size > state.st_size:
                raise zipfile.BadZipFile(f"{name!r:.80} is longer than the archive")
            label = os.path.join(folder, name)
            if _wanted(name, member.file_size, suffix, max_bytes):
                files.append(RawFile(label, (stamp, member.CRC), raw, name))
            else:
                others.append(label)
    return files, others


def _list_folder(
    raw: str, suffix: str, max_bytes: int | None
) -> tuple[list[RawFile], list[str]]:
    files, others = [], []
    for folder, folders, names in os.walk(raw):
        folders.sort()
        for name in sorted(names):
            path = os.path.join(folder, name)
            label = os.path.relpath(path, raw)
            state = os.stat(path) if os.path.isfile(path) else None
            size = 0 if state is None else state.st_size
            if state is not None and _wanted(path, size, suffix, max_bytes):
                stamp = (state.st_size, state.st_mtime_ns)
                files.append(RawFile(label, stamp, path))
            elif state is not None and name.endswith(".zip") and name[0] != ".":
                inside = _list_zip(path, suffix, max_bytes, label)
                for mine, its in zip((files, others), inside):
                    mine += its
            else:
                others.append(label)
    return files, others


def _from_tar(raw: str, suffix: str, max_bytes: int | None) -> Iterator[File]:
    with tarfile.open(raw) as archive:
        for member in archive:
            if member.isdir():
                continue
            wanted = _wanted(member.name, member.size, suffix, max_bytes)
            keep = member.isreg() and wanted
            yield member.name, archive.extractfile(member).read() if keep else None
        # tarfile takes a damaged or missing header for the end of the archive.
        archive.fileobj.seek(archive.offset)
        if archive.fileobj.read(tarfile.BLOCKSIZE) != tarfile.NUL * tarfile.BLOCKSIZE:
            raise tarfile.ReadError(f"no valid entry at byte {archive.offset}")
        while archive.fileobj.read(2**20):
            pass  # the checksum of the whole comes last
