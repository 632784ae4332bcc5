"""Scores as three plain arrays in a `.npz`: nothing in it can be executed.

    ids     text [N], the samples'
    scores  floating point [N, C]
    labels  integers [N], if they are known

`numpy.savez(path, ids=ids, scores=scores, labels=labels)` writes one, and
`numpy.load(path, allow_pickle=False)` reads it.
"""

import os
import zipfile
from collections.abc import Sequence
from typing import BinaryIO

import numpy as np

from ..io.atomic import whole_file
from ..io.npy import array_of_npy


def write_score_npz(
    path: str, ids: Sequence[str], scores: np.ndarray, labels: np.ndarray | None
) -> None:
    """Write scores, whole or not at all.

    Args:
        path: where to; its folder is made if it is not there.
        ids: N of them.
        scores: [N, C].
        labels: [N]; None if they are not known.

    Raises:
        OSError: the file cannot be written.
    """
    arrays = dict(ids=np.array(ids, np.str_), scores=np.asarray(scores))
    if labels is not None:
        arrays["labels"] = np.asarray(labels)
    with whole_file(path) as file:
        np.savez(file, **arrays)


def read_score_npz(
    file: str | BinaryIO,
) -> tuple[list[str] | None, np.ndarray, np.ndarray | None]:
    """The ids, scores and labels of a file; ids and labels may be missing.

    No more memory is taken than the file has bytes: arrays that are compressed, which
    may unpack to any size, are refused.

    Args:
        file: its path, or the file itself, one that can seek.

    Returns:
        N ids, [N, C], int [N].

    Raises:
        ValueError: not such a file; the text begins with what it is.
        OSError: there is none, or it cannot be read.
    """
    if isinstance(file, str):
        with open(file, "rb") as opened:
            return read_score_npz(opened)
    size = file.seek(0, os.SEEK_END)
    # What zipfile raises for damage is of many kinds.
    try:
        with zipfile.ZipFile(file) as archive:
            found = {
                name: _member(archive, f"{name}.npy", kinds, size)
                for name, kinds in dict(ids="U", scores="fiu", labels="iu").items()
                if f"{name}.npy" in archive.namelist()
            }
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        why = " ".join(str(error).split()) or type(error).__name__
        raise ValueError(f"is no .npz, or damaged ({why:.80})") from error
    if "scores" not in found:
        raise ValueError("has no array `scores`, expected ids, scores and labels")
    scores, ids, labels = (found.get(name) for name in ("scores", "ids", "labels"))
    if scores.ndim != 2:
        raise ValueError(f"has scores of shape {scores.shape}, expected [N, C]")
    for name, array in (("ids", ids), ("labels", labels)):
        if array is not None and array.shape != scores.shape[:1]:
            raise ValueError(
                f"has {name} of shape {array.shape} and scores of shape {scores.shape}, "
                "expected [N] and [N, C]"
            )
    return None if ids is None else ids.tolist(), scores, labels


def _member(archive: zipfile.ZipFile, name: str, kinds: str, size: int) -> np.ndarray:
    member = archive.getinfo(name)
    if member.compress_type != zipfile.ZIP_STORED:
        raise ValueError(f"has {name} compressed, expected it as numpy.savez writes it")
    if max(member.file_size, member.compress_size) > size:
        raise ValueError(f"has {name} of {member.file_size} bytes, more than itself")
    try:
        return array_of_npy(archive.read(member), kinds)
    except UnicodeDecodeError as error:
        raise ValueError(f"has a damaged {name}") from error
    except ValueError as error:
        raise ValueError(f"has a {name} that {error}") from error
