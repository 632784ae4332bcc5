"""Safe reader for `.npz` files, which contain plain arrays and no pickles."""

import os
import zipfile
from collections.abc import Mapping
from typing import BinaryIO

import numpy as np

from ..errors import DataError
from .npy import read_npy_array


def read_npz(file: BinaryIO, kinds: Mapping[str, str]) -> dict[str, np.ndarray]:
    """Read arrays from a file written by `numpy.savez`.

    Memory use is limited by the size of the file. Compressed arrays are rejected, because
    they can decompress to any size.

    Args:
        file: seekable binary file.
        kinds: dictionary from the names of arrays to read to the supported values of
            `numpy.dtype.kind`, as one string.

    Returns:
        Dictionary with those of the arrays that the file contains.

    Raises:
        DataError: the file is not an `.npz` file (kind `corrupt-archive`), or an array is
            invalid.
        OSError: the file cannot be read.
    """
    size = file.seek(0, os.SEEK_END)
    # zipfile raises these exceptions for corrupt files.
    try:
        with zipfile.ZipFile(file) as archive:
            return {
                name: _member(archive, name, dtypes, size)
                for name, dtypes in kinds.items()
                if f"{name}.npy" in archive.namelist()
            }
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise DataError(
            f"the file is corrupt or not an .npz file ({reason:.80}). Write it again.",
            kind="corrupt-archive",
        ) from error


def _member(archive: zipfile.ZipFile, name: str, kinds: str, size: int) -> np.ndarray:
    member = archive.getinfo(f"{name}.npy")
    if member.compress_type != zipfile.ZIP_STORED:
        raise DataError(
            f"{name!r} is compressed, expected an uncompressed array. Write the file with "
            "numpy.savez.",
            kind="structure",
            field=name,
        )
    claimed_size = max(member.file_size, member.compress_size)
    if claimed_size > size:
        raise DataError(
            f"{name!r} claims {claimed_size} bytes, but the file has only {size}. Write it "
            "again.",
            kind="too-large",
            field=name,
        )
    try:
        return read_npy_array(archive.read(member), kinds)
    except DataError as error:
        raise DataError(
            f"{name}.npy: {error.message}", kind=error.kind, field=name
        ) from error
    except ValueError as error:
        raise DataError(
            f"{name!r} is corrupt. Write the file again.", kind="corrupt", field=name
        ) from error
