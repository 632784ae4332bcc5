"""Readers for raw files in folders and archives.

Archives are read in memory. Paths of members are used only as labels, so links and paths
that leave the folder (`../`) are harmless.
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

# Default maximum size of a file, to limit the memory for untrusted archives. It is much
# larger than any sequence of joints.
MAX_BYTES = 64 * 2**20

File = tuple[str, bytes | None]

_CORRUPT = (
    tarfile.TarError,
    zipfile.BadZipFile,
    lzma.LZMAError,
    zlib.error,
    EOFError,
    OSError,  # not a gzip file
    RuntimeError,  # encrypted zip file
)


class RawFile(NamedTuple):
    """File or zip member that any process can read.

    Attributes:
        name: path within the raw data, for display.
        stamp: fingerprint that changes with the content.
        path: path of the file, or of the zip file that contains it.
        member: name in the zip file. None for a file on disk.
    """

    name: str
    stamp: tuple[int, int]
    path: str
    member: str | None = None

    def read(self) -> bytes:
        if self.member is None:
            return Path(self.path).read_bytes()
        with _archive_errors(self.path):
            archive = _open_zip(self.path, self.stamp[0], os.getpid())
            member = archive.getinfo(self.member)
            with archive.open(member) as file:
                # Without a size, zipfile allocates 2 GiB at once.
                return file.read(member.file_size)


@lru_cache(maxsize=4)
def _open_zip(path: str, stamp: int, process: int) -> zipfile.ZipFile:
    """Open a zip file and keep it open, because reading its directory is slow.

    Each process opens the file separately, because a shared file shares its position.
    """
    return zipfile.ZipFile(path)


def list_files(
    raw: StrPath,
    suffix: str | tuple[str, ...],
    max_bytes: int | None = None,
) -> tuple[list[RawFile], list[str]] | None:
    """List the files of a folder or zip file, sorted by name.

    Args:
        raw: folder, which may contain zip files, or archive (.zip, .tar, .tar.xz,
            .tar.gz, .tar.bz2).
        suffix: suffix or suffixes of the files to select, such as ".json".
        max_bytes: maximum size of a selected file. None for 64 MiB.

    Returns:
        The selected files, and the names of all others. Others are files that have
        another suffix, are hidden or not regular, or are larger than `max_bytes`. None
        for tar files, which have no directory.

    Raises:
        DataError: `raw` does not exist, is a corrupt archive, or has another file type.
    """
    raw = os.fspath(raw)
    # Path("") is the current folder, but isdir("") is False.
    if os.path.isdir(raw):  # noqa: PTH112
        return _list_folder(raw, suffix, max_bytes)
    _check_exists(raw, suffix)
    if not zipfile.is_zipfile(raw):
        return None
    return _list_zip(raw, suffix, max_bytes)


def read_files(
    raw: StrPath, suffix: str | tuple[str, ...], max_bytes: int | None = None
) -> Iterator[File]:
    """Read the files of a folder or archive one by one, in this process.

    Args:
        raw, suffix, max_bytes: see `list_files`.

    Yields:
        Pairs of the path within `raw` and the content. The content of files that are
        not selected is None.

    Raises:
        DataError: see `list_files`.
    """
    raw = os.fspath(raw)
    listing = list_files(raw, suffix, max_bytes)
    with _archive_errors(raw):
        if listing is None:
            yield from _read_tar(raw, suffix, max_bytes)
            return
        files, others = listing
        for file in files:
            yield file.name, file.read()
        for name in others:
            yield name, None


def _check_exists(raw: str, suffix: str | tuple[str, ...]) -> None:
    if not os.path.exists(raw):  # noqa: PTH110
        suffixes = suffix if isinstance(suffix, str) else " or ".join(suffix)
        raise DataError(
            f"the path does not exist, expected a folder or archive of {suffixes} files",
            kind="not-found",
            file=raw,
        )


@contextmanager
def _archive_errors(path: str) -> Iterator[None]:
    """Convert exceptions raised for a corrupt archive to DataError."""
    try:
        yield
    except _CORRUPT as error:
        if Path(path).is_dir():
            raise
        # Messages of tarfile have several lines.
        reason = " ".join(str(error).split()) or type(error).__name__
        raise DataError(
            "the file cannot be read as a .zip, .tar, .tar.xz, .tar.gz, or .tar.bz2 "
            f"archive ({reason:.300}). Download it again.",
            kind="io" if getattr(error, "errno", None) else "corrupt-archive",
            file=path,
        ) from error


def _is_selected(
    path: str, size: int, suffix: str | tuple[str, ...], max_bytes: int | None
) -> bool:
    # macOS adds a hidden file `._NAME` for every NAME.
    hidden = PurePosixPath(path).name.startswith(".")
    limit = MAX_BYTES if max_bytes is None else max_bytes
    return path.endswith(suffix) and not hidden and size <= limit


def _list_zip(
    raw: str, suffix: str | tuple[str, ...], max_bytes: int | None, folder: str = ""
) -> tuple[list[RawFile], list[str]]:
    files, others = [], []
    state = Path(raw).stat()
    stamp = state.st_mtime_ns
    with _archive_errors(raw), zipfile.ZipFile(raw) as archive:
        for member in sorted(archive.infolist(), key=lambda member: member.filename):
            name = member.filename
            if name.endswith("/"):
                continue
            if member.compress_size > state.st_size:
                raise zipfile.BadZipFile(f"{name!r:.80} is larger than the archive")
            label = f"{folder}/{name}" if folder else name
            if _is_selected(name, member.file_size, suffix, max_bytes):
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
            if state is not None and _is_selected(path, size, suffix, max_bytes):
                stamp = (state.st_size, state.st_mtime_ns)
                files.append(RawFile(label, stamp, path))
            elif state is not None and name.endswith(".zip") and name[0] != ".":
                members, other_members = _list_zip(path, suffix, max_bytes, label)
                files += members
                others += other_members
            else:
                others.append(label)
    return files, others


def _read_tar(
    raw: str, suffix: str | tuple[str, ...], max_bytes: int | None
) -> Iterator[File]:
    with tarfile.open(raw) as archive:
        for member in archive:
            if member.isdir():
                continue
            selected = _is_selected(member.name, member.size, suffix, max_bytes)
            selected = member.isreg() and selected
            file = archive.extractfile(member) if selected else None
            yield member.name, None if file is None else file.read()
        # tarfile treats a corrupt or missing header as the end of the archive.
        archive.fileobj.seek(archive.offset)
        if archive.fileobj.read(tarfile.BLOCKSIZE) != tarfile.NUL * tarfile.BLOCKSIZE:
            raise tarfile.ReadError(f"no valid entry at byte {archive.offset}")
        while archive.fileobj.read(2**20):
            pass  # the checksum is at the end of the archive
