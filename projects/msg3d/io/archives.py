"""The raw files of a data set, read from a folder or an archive.

Archives are read in memory. Paths of members are only used as labels, so links and paths
that leave their folder (`../`) are harmless.
"""

import lzma
import os
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from ..errors import DataError
from . import StrPath

# Far above any sequence of joints; protects memory against archives that lie.
MAX_BYTES = 64 * 2**20

File = tuple[str, bytes | None]

_CORRUPT = (
    tarfile.TarError,
    zipfile.BadZipFile,
    lzma.LZMAError,
    zlib.error,
    EOFError,
    OSError,  # not a gzip file
    RuntimeError,  # a zip with a password
)


class RawFile(NamedTuple):
    """A file that any process can read.

    Attributes:
        name: path within the raw data, for people.
        stamp: changes when the content does.
        path: the file, or the zip that contains it.
        member: name in the zip; None for a file on disk.
    """

    name: str
    stamp: tuple[int, int]
    path: str
    member: str | None = None

    def read(self) -> bytes:
        if self.member is None:
            return Path(self.path).read_bytes()
        with _reading(self.path):
            archive = _open_zip(self.path, self.stamp[0], os.getpid())
            member = archive.getinfo(self.member)
            with archive.open(member) as file:
                # Without a size, zipfile unpacks 2 GiB at once.
                return file.read(member.file_size)


@lru_cache(maxsize=4)
def _open_zip(path: str, stamp: int, process: int) -> zipfile.ZipFile:
    """Keep a zip open: its table of files takes longer to read than a file.

    Each process opens its own, since a shared file has a shared position.
    """
    return zipfile.ZipFile(path)


def list_files(
    raw: StrPath,
    suffix: str | tuple[str, ...],
    max_bytes: int | None = None,
) -> tuple[list[RawFile], list[str]] | None:
    """List the files of a folder or zip, sorted by name.

    Args:
        raw: a folder, which may contain zips, or an archive (.zip, .tar, .tar.xz,
            .tar.gz, .tar.bz2).
        suffix: ending of the names of wanted files, such as ".json", or several.
        max_bytes: maximum size of a wanted file; None for 64 MiB.

    Returns:
        The wanted files, and the names of all others: with another suffix, hidden, not
        regular, or larger than `max_bytes`. None for a tar, which has no list of files.

    Raises:
        DataError: `raw` does not exist, or is a corrupt archive or another file.
    """
    raw = os.fspath(raw)
    # For a `Path`, an empty text is the current folder.
    if os.path.isdir(raw):  # noqa: PTH112
        return _list_folder(raw, suffix, max_bytes)
    _refuse_missing(raw, suffix)
    if not zipfile.is_zipfile(raw):
        return None
    return _list_zip(raw, suffix, max_bytes)


def read_files(
    raw: StrPath, suffix: str | tuple[str, ...], max_bytes: int | None = None
) -> Iterator[File]:
    """Read the files of `raw` one by one, in this process.

    Args:
        raw, suffix, max_bytes: as in `list_files`.

    Yields:
        The path within `raw`, and the bytes; None for the others of `list_files`.

    Raises:
        DataError: as `list_files`.
    """
    raw = os.fspath(raw)
    listed = list_files(raw, suffix, max_bytes)
    with _reading(raw):
        if listed is None:
            yield from _from_tar(raw, suffix, max_bytes)
            return
        files, others = listed
        for file in files:
            yield file.name, file.read()
        for name in others:
            yield name, None


def _refuse_missing(raw: str, suffix: str | tuple[str, ...]) -> None:
    if not os.path.exists(raw):  # noqa: PTH110
        raise DataError(
            f"does not exist, expected a folder or archive of {suffix} files",
            kind="not-found",
            file=raw,
        )


@contextmanager
def _reading(path: str) -> Iterator[None]:
    """Turn what a corrupt archive raises into one error that names the archive."""
    try:
        yield
    except _CORRUPT as error:
        if Path(path).is_dir():
            raise
        # tarfile lists each attempt on a line of its own.
        why = " ".join(str(error).split()) or type(error).__name__
        raise DataError(
            f"cannot be read as a tar.xz, tar.gz, or zip archive ({why:.300}). Download "
            "it again",
            kind="io" if getattr(error, "errno", None) else "corrupt-archive",
            file=path,
        ) from error


def _wanted(
    path: str, size: int, suffix: str | tuple[str, ...], max_bytes: int | None
) -> bool:
    # macOS adds a `._NAME` beside every NAME.
    hidden = PurePosixPath(path).name.startswith(".")
    limit = MAX_BYTES if max_bytes is None else max_bytes
    return path.endswith(suffix) and not hidden and size <= limit


def _list_zip(
    raw: str, suffix: str | tuple[str, ...], max_bytes: int | None, folder: str = ""
) -> tuple[list[RawFile], list[str]]:
    files, others = [], []
    state = Path(raw).stat()
    stamp = state.st_mtime_ns
    with _reading(raw), zipfile.ZipFile(raw) as archive:
        for member in sorted(archive.infolist(), key=lambda member: member.filename):
            name = member.filename
            if name.endswith("/"):
                continue
            if member.compress_size > state.st_size:
                raise zipfile.BadZipFile(f"{name!r:.80} is larger than the archive")
            label = f"{folder}/{name}" if folder else name
            if _wanted(name, member.file_size, suffix, max_bytes):
                files.append(RawFile(label, (stamp, member.CRC), raw, name))
            else:
                others.append(label)
    return files, others


def _list_folder(
    raw: str, suffix: str | tuple[str, ...], max_bytes: int | None
) -> tuple[list[RawFile], list[str]]:
    files: list[RawFile] = []
    others: list[str] = []
    for folder, folders, names in os.walk(raw):
        folders.sort()
        for name in sorted(names):
            file = Path(folder, name)
            path, label = str(file), file.relative_to(raw).as_posix()
            state = file.stat() if file.is_file() else None
            size = 0 if state is None else state.st_size
            if state is not None and _wanted(path, size, suffix, max_bytes):
                stamp = (state.st_size, state.st_mtime_ns)
                files.append(RawFile(label, stamp, path))
            elif state is not None and name.endswith(".zip") and name[0] != ".":
                inside, others_inside = _list_zip(path, suffix, max_bytes, label)
                files += inside
                others += others_inside
            else:
                others.append(label)
    return files, others


def _from_tar(
    raw: str, suffix: str | tuple[str, ...], max_bytes: int | None
) -> Iterator[File]:
    with tarfile.open(raw) as archive:
        for member in archive:
            if member.isdir():
                continue
            wanted = _wanted(member.name, member.size, suffix, max_bytes)
            keep = member.isreg() and wanted
            file = archive.extractfile(member) if keep else None
            yield member.name, None if file is None else file.read()
        # To tarfile, a corrupt or missing header is the end of the archive.
        archive.fileobj.seek(archive.offset)
        if archive.fileobj.read(tarfile.BLOCKSIZE) != tarfile.NUL * tarfile.BLOCKSIZE:
            raise tarfile.ReadError(f"no valid entry at byte {archive.offset}")
        while archive.fileobj.read(2**20):
            pass  # the checksum of the archive comes last
