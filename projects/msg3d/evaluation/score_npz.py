"""Scores as three plain arrays in an `.npz` file, without any pickle.

    ids     text [N], of the samples
    scores  floating point [N, C]
    labels  integers [N], if they are known

`numpy.savez(path, ids=ids, scores=scores, labels=labels)` writes such a file, and
`numpy.load(path, allow_pickle=False)` reads it.
"""

import os
import zipfile
from collections.abc import Sequence
from typing import Any, BinaryIO

import numpy as np

from ..errors import DataError
from ..io.atomic import whole_file
from ..io.file_type import SCORES_NPZ, mismatch
from ..io.npy import array_of_npy


def write_score_npz(
    path: str, ids: Sequence[str], scores: np.ndarray, labels: np.ndarray | None
) -> None:
    """Write scores atomically.

    Args:
        path: of the file; its folder is created if necessary.
        ids: N ids.
        scores: [N, C].
        labels: [N]; None if they are not known.

    Raises:
        OSError: the file cannot be written.
    """
    names = np.array(ids, np.str_)
    with whole_file(path) as file:
        if labels is None:
            np.savez(file, ids=names, scores=scores)
        else:
            np.savez(file, ids=names, scores=scores, labels=labels)


def read_score_npz(
    file: BinaryIO,
) -> tuple[list[str] | None, np.ndarray, np.ndarray | None]:
    """Read ids, scores, and labels; ids and labels may be missing.

    No more memory is taken than the file has bytes: compressed arrays, which may unpack
    to any size, are refused.

    Args:
        file: a seekable file.

    Returns:
        N ids, [N, C], int [N].

    Raises:
        DataError: it is not such a file.
        OSError: it cannot be read.
    """
    size = file.seek(0, os.SEEK_END)
    # zipfile raises many classes of errors for damage.
    try:
        with zipfile.ZipFile(file) as archive:
            arrays = {
                name: _member(archive, name, kinds, size)
                for name, kinds in {"ids": "U", "scores": "fiu", "labels": "iu"}.items()
                if f"{name}.npy" in archive.namelist()
            }
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        why = " ".join(str(error).split()) or type(error).__name__
        raise mismatch(file, SCORES_NPZ) or DataError(
            f"is not an .npz, or corrupt ({why:.80}): write it again",
            kind="corrupt-archive",
        ) from error
    if "scores" not in arrays:
        raise mismatch(file, SCORES_NPZ) or DataError(
            "has no array `scores`, expected ids, scores, and labels",
            kind="structure",
            field="scores",
        )
    scores, ids, labels = arrays["scores"], arrays.get("ids"), arrays.get("labels")
    if scores.ndim != 2:
        raise DataError(
            f"has scores of shape {scores.shape}, expected [N, C]",
            kind="shape",
            field="scores",
        )
    for name, array in (("ids", ids), ("labels", labels)):
        if array is not None and array.shape != scores.shape[:1]:
            raise DataError(
                f"has {name} of shape {array.shape} and scores of shape {scores.shape}, "
                "expected [N] and [N, C]",
                kind="shape",
                field=name,
            )
    return None if ids is None else ids.tolist(), scores, labels


def _member(archive: zipfile.ZipFile, name: str, kinds: str, size: int) -> np.ndarray:
    member = archive.getinfo(f"{name}.npy")
    if member.compress_type != zipfile.ZIP_STORED:
        raise DataError(
            f"has compressed {name}, expected them as numpy.savez writes them",
            kind="structure",
            field=name,
        )
    claimed = max(member.file_size, member.compress_size)
    if claimed > size:
        raise DataError(
            f"has {name} of {claimed} bytes, more than the file",
            kind="too-large",
            field=name,
        )
    try:
        return array_of_npy(archive.read(member), kinds)
    except DataError as error:
        raise DataError(
            f"has {name}.npy, which {error.message}", kind=error.kind, field=name
        ) from error
    except ValueError as error:
        raise DataError(f"has corrupt {name}", kind="corrupt", field=name) from error


def dumped(file: BinaryIO) -> list[dict[str, Any]]:
    """The samples of an `.npz`, as `msg3d test ... --dump` pickles them."""
    import torch

    ids, scores, labels = read_score_npz(file)
    if labels is None:
        raise DataError(
            "has no array `labels`, with which MMAction2's tools compare the scores: "
            "write it with ids, scores, and labels",
            kind="label",
            field="labels",
        )
    # torch takes no numbers in the byte order of other machines.
    values, numbers = (
        torch.tensor(array.astype(array.dtype.newbyteorder("=")))
        for array in (scores, labels)
    )
    samples: list[dict[str, Any]] = [
        {"pred_score": score, "gt_label": label}
        for score, label in zip(values, numbers[:, None], strict=True)
    ]
    for sample, name in zip(samples, ids or (), strict=False):
        sample["frame_dir"] = name
    return samples
