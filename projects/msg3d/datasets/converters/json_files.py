"""The JSON files of a folder or an archive, one after another, in memory.

Nothing is written to disk, so a member's path is only ever a label: one that
climbs out of its folder (`../`) or that is a link does no harm.
"""

import lzma
import os
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import PurePosixPath

from ..annotations import AnnotationError

# Far above any sequence of joints; keeps a lying archive out of memory.
MAX_BYTES = 64 * 2**20

File = tuple[str, bytes | None]


def read_json_files(raw: str) -> Iterator[File]:
    """The files of `raw`, in the order they come.

    Args:
        raw: a folder, or an archive (.tar, .tar.xz, .tar.gz, .tar.bz2, .zip).

    Yields:
        The path within `raw`, and the bytes: None where it is not a regular .json
        file, or above 64 MiB.

    Raises:
        AnnotationError: nothing there, no archive, or a damaged one.
    """
    if not os.path.exists(raw):
        raise AnnotationError(
            f"raw data {raw} do not exist: name the folder or archive of JSON files"
        )
    if os.path.isdir(raw):
        yield from _from_folder(raw)
        return
    try:
        if zipfile.is_zipfile(raw):
            yield from _from_zip(raw)
        else:
            yield from _from_tar(raw)
    except (
        tarfile.TarError,
        zipfile.BadZipFile,
        lzma.LZMAError,
        zlib.error,
        EOFError,
        OSError,  # a gzip that is none
        RuntimeError,  # a zip with a password
    ) as error:
        raise AnnotationError(
            f"raw data {raw} cannot be read as a tar.xz, tar.gz or zip archive "
            f"({error or type(error).__name__}): download it again"
        ) from error


def _wanted(path: str, size: int) -> bool:
    # macOS adds a `._NAME` beside every NAME.
    hidden = PurePosixPath(path).name.startswith(".")
    return path.endswith(".json") and not hidden and size <= MAX_BYTES


def _from_folder(raw: str) -> Iterator[File]:
    for folder, folders, names in os.walk(raw):
        folders.sort()
        for name in sorted(names):
            path = os.path.join(folder, name)
            content = None
            if os.path.isfile(path) and _wanted(path, os.path.getsize(path)):
                with open(path, "rb") as file:
                    content = file.read()
            yield os.path.relpath(path, raw), content


def _from_zip(raw: str) -> Iterator[File]:
    with zipfile.ZipFile(raw) as archive:
        for member in archive.infolist():
            if member.is_dir():
                continue
            keep = _wanted(member.filename, member.file_size)
            yield member.filename, archive.read(member) if keep else None


def _from_tar(raw: str) -> Iterator[File]:
    with tarfile.open(raw) as archive:
        for member in archive:
            if member.isdir():
                continue
            keep = member.isreg() and _wanted(member.name, member.size)
            yield member.name, archive.extractfile(member).read() if keep else None
        # tarfile takes a damaged or missing header for the end of the archive.
        archive.fileobj.seek(archive.offset)
        if archive.fileobj.read(tarfile.BLOCKSIZE) != tarfile.NUL * tarfile.BLOCKSIZE:
            raise tarfile.ReadError(f"no valid entry at byte {archive.offset}")
        while archive.fileobj.read(2**20):
            pass  # the checksum of the whole comes last
