"""Read the raw files of a data set, in a folder or an archive, into memory.

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

# Far above any sequence of joints; protects the memory from false sizes.
MAX_BYTES = 64 * 2**20

File = tuple[str, bytes | None]


class RawFile(NamedTuple):
    """A file that can be read by itself, in any process.

    Attributes:
        name: its path within the raw data, for display.
        stamp: changes when the content does.
        path: the file, or the zip that contains it.
        member: its name in the zip; None for a file outside of archives.
    """

    name: str
    stamp: tuple
    path: str
    member: str | None = None

    def read(self) -> bytes:
        if self.member is None:
            with open(self.path, "rb") as file:
                return file.read()
        with _archive_errors(self.path):
            archive = _open_zip(self.path, self.stamp[0], os.getpid())
            member = archive.getinfo(self.member)
            with archive.open(member) as file:
                # Only the stated size: without it, zipfile unpacks 2 GiB at once.
                return file.read(member.file_size)


@lru_cache(maxsize=4)
def _open_zip(path: str, stamp: int, process: int) -> zipfile.ZipFile:
    """Open a zip and keep it open: reading its table takes longer than reading a file.

    Processes that share an open file disturb each other, so each opens its own.
    """
    return zipfile.ZipFile(path)


def list_files(
    raw: str, suffix: str, max_bytes: int | None = None
) -> tuple[list[RawFile], list[str]] | None:
    """List the files of a folder or zip, sorted by name.

    Args:
        raw: a folder, which may contain zips, or an archive (.zip, .tar, .tar.xz,
            .tar.gz, .tar.bz2).
        suffix: ending of the wanted files, such as ".json".
        max_bytes: size limit of a wanted file; None for 64 MiB.

    Returns:
        The wanted files, and the names of all others: of another suffix, hidden,
        not regular, or above `max_bytes`. None for a tar, which has no list of its files.

    Raises:
        DataError: `raw` does not exist, or is a corrupt archive.
    """
    raw = os.fspath(raw)
    if os.path.isdir(raw):
        return _list_folder(raw, suffix, max_bytes)
    _refuse_missing(raw, suffix)
    if not zipfile.is_zipfile(raw):
        return None
    return _list_zip(raw, suffix, max_bytes)


def read_files(raw: str, suffix: str, max_bytes: int | None = None) -> Iterator[File]:
    """Read the files of `raw` in the order in which they are stored.

    Args:
        raw, suffix, max_bytes: as in `list_files`.

    Yields:
        The path within `raw`, and the bytes: None for the others of `list_files`.

    Raises:
        DataError: `raw` does not exist, is not an archive, or is a corrupt one.
    """
    listed = list_files(raw, suffix, max_bytes)
    with _archive_errors(raw):
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
            f"does not exist: name the folder or archive of {suffix} files",
            kind="not-found",
            file=raw,
        )


class _archive_errors:
    """Turn the errors that a corrupt archive raises into a DataError that names it."""

    DAMAGES = (
        tarfile.TarError,
        zipfile.BadZipFile,
        lzma.LZMAError,
        zlib.error,
        EOFError,
        OSError,  # not a gzip
        RuntimeError,  # a zip with a password
    )

    def __init__(self, raw: str) -> None:
        self.raw = raw

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind, error, traceback) -> None:
        if isinstance(error, self.DAMAGES) and not os.path.isdir(self.raw):
            # tarfile lists every form that it tried, each on its own line.
            why = " ".join(str(error).split()) or type(error).__name__
            raise DataError(
                f"cannot be read as a tar.xz, tar.gz, or zip archive ({why:.300}): "
                "download it again",
                kind="corrupt-archive",
                file=self.raw,
            ) from error


def _wanted(path: str, size: int, suffix: str, max_bytes: int | None) -> bool:
    # macOS adds a `._NAME` next to every NAME.
    hidden = PurePosixPath(path).name.startswith(".")
    limit = MAX_BYTES if max_bytes is None else max_bytes
    return path.endswith(suffix) and not hidden and size <= limit


def _list_zip(
    raw: str, suffix: str, max_bytes: int | None, folder: str = ""
) -> tuple[list[RawFile], list[str]]:
    files, others = [], []
    state = os.stat(raw)
    stamp = state.st_mtime_ns
    with _archive_errors(raw), zipfile.ZipFile(raw) as archive:
        for member in sorted(archive.infolist(), key=lambda member: member.filename):
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
                files_inside, others_inside = _list_zip(path, suffix, max_bytes, label)
                files += files_inside
                others += others_inside
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
        # tarfile takes a corrupt or missing header for the end of the archive.
        archive.fileobj.seek(archive.offset)
        if archive.fileobj.read(tarfile.BLOCKSIZE) != tarfile.NUL * tarfile.BLOCKSIZE:
            raise tarfile.ReadError(f"no valid entry at byte {archive.offset}")
        while archive.fileobj.read(2**20):
            pass  # the checksum of the archive comes last
