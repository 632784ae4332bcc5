"""Score files in `.npz` format, which contain plain arrays and no pickles.

    ids     str [N]     ids of the samples
    scores  float [N, C]
    labels  int [N]     optional

`numpy.savez(path, ids=ids, scores=scores, labels=labels)` writes this format, and
`numpy.load(path, allow_pickle=False)` reads it.
"""

from collections.abc import Sequence
from typing import Any, BinaryIO

import numpy as np

from ..errors import DataError
from ..io.atomic import whole_file
from ..io.file_type import SCORES_NPZ, mismatch
from ..io.npz import read_npz


def write_score_npz(
    path: str, ids: Sequence[str], scores: np.ndarray, labels: np.ndarray | None
) -> None:
    """Write scores to an `.npz` file atomically.

    Args:
        path: path of the file. Its folder is created if necessary.
        ids: ids of the N samples.
        scores: scores, [N, C].
        labels: class indices, int [N]; None if unknown.

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
    """Read ids, scores, and labels from an `.npz` score file.

    Memory use is limited by the size of the file. Compressed arrays are rejected, because
    they can decompress to any size.

    Args:
        file: seekable binary file.

    Returns:
        Ids [N], scores [N, C], and labels, int [N]. Ids and labels are None if the file
        does not contain them.

    Raises:
        DataError: the file does not have this format.
        OSError: the file cannot be read.
    """
    try:
        arrays = read_npz(file, {"ids": "U", "scores": "fiu", "labels": "iu"})
    except DataError as error:
        other = mismatch(file, SCORES_NPZ) if error.kind == "corrupt-archive" else None
        if other is None:
            raise
        raise other from error
    if "scores" not in arrays:
        raise mismatch(file, SCORES_NPZ) or DataError(
            "the array 'scores' is missing, expected the arrays 'scores' and optionally "
            "'ids' and 'labels'",
            kind="structure",
            field="scores",
        )
    scores, ids, labels = arrays["scores"], arrays.get("ids"), arrays.get("labels")
    if scores.ndim != 2:
        raise DataError(
            f"'scores' has shape {scores.shape}, expected [N, C]",
            kind="shape",
            field="scores",
        )
    for name, array in (("ids", ids), ("labels", labels)):
        if array is not None and array.shape != scores.shape[:1]:
            raise DataError(
                f"{name!r} has shape {array.shape}, and 'scores' has shape {scores.shape}, "
                "expected [N] and [N, C]",
                kind="shape",
                field=name,
            )
    return None if ids is None else ids.tolist(), scores, labels


def read_as_dump(file: BinaryIO) -> list[dict[str, Any]]:
    """Read an `.npz` score file as the samples that `msg3d test ... --dump` writes."""
    import torch

    ids, scores, labels = read_score_npz(file)
    if labels is None:
        raise DataError(
            "the array 'labels' is missing, but MMAction2's tools require labels. Write "
            "the file with ids, scores, and labels.",
            kind="label",
            field="labels",
        )
    # PyTorch supports only the native byte order.
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
