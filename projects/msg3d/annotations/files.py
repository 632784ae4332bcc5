"""Read and write annotation files in the format of MMAction2's PoseDataset.

A file is a pickle of `dict(split={name: [ids]}, annotations=[sample, ...])`, or of a
plain list of samples. A sample is a dictionary with `frame_dir` or `filename` (its id),
`label`, `total_frames`, `keypoint` [M, T, V, C], and, for 2D joints, `keypoint_score`
[M, T, V].

MMAction2 unpickles files without restrictions, so a malicious file can execute arbitrary
code. Importing this package prevents that (`compat/files.py`).
"""

import os
import pickle
from pathlib import Path

import numpy as np

from ..errors import DataError
from ..io import StrPath
from ..io.atomic import whole_file
from ..io.file_type import ANNOTATIONS, mismatch
from ..io.safe_pickle import load_plain
from .check import Annotations, check_annotations, samples_of
from .sample_check import is_numeric
from .samples import Sample

__all__ = [
    "Annotations",
    "as_float32",
    "check_annotations",
    "load_annotations",
    "save_annotations",
]


def load_annotations(path: StrPath) -> Annotations:
    """Read an annotation file without executing any code in it.

    Args:
        path: the pickle, of any protocol and written with any version of NumPy.

    Returns:
        The content. Only its type is checked (see `check_annotations`).

    Raises:
        DataError: the file does not exist (`not-found`), is a folder (`wrong-path`),
            cannot be read (`io`), is not a pickle of a dictionary or list
            (`wrong-file-type`, `structure`), is `empty`, `truncated`, `corrupt`, or
            `too-large`, or imports anything other than plain data types (`unsafe`).
    """
    path = os.fspath(path)
    if not Path(path).exists():
        raise DataError(
            "annotation file does not exist: correct its path (`ann_file` of a config), "
            "or create it with `msg3d prepare`",
            kind="not-found",
            file=path,
        )
    if not Path(path).is_file():
        store = path.rstrip(f"/{os.sep}").endswith(".packed")
        raise DataError(
            "is a packed store, expected an annotation file: unpack it with `msg3d pack "
            "STORE NAME.pkl`, or read it with type='PackedSkeletonDataset' in a config"
            if store
            else "is a folder, expected an annotation file (.pkl)",
            kind="wrong-path",
            file=path,
        )
    try:
        data = load_plain(path, expected=ANNOTATIONS)
    except OSError as error:
        raise DataError(
            f"cannot be read: {error.strerror}", kind="io", file=path
        ) from error
    if not isinstance(data, (dict, list)):
        raise mismatch(path, ANNOTATIONS) or DataError(
            f"contains a {type(data).__name__}, expected dict(split={{name: [ids]}}, "
            "annotations=[...]) or a list of annotations",
            kind="structure",
            file=path,
        )
    return data


def save_annotations(data: Annotations, path: StrPath) -> None:
    """Check annotations and write them atomically, with keypoints as float32.

    Args:
        data: annotations as `load_annotations` returns them; not modified.
        path: file to write; its folder is created if necessary.

    Raises:
        DataError: the data are not valid annotations (a kind of `faults.KINDS`).
        OSError: the file cannot be written; an existing file remains unchanged.
    """
    path = os.fspath(path)
    samples = [as_float32(sample) for sample in samples_of(data, path)]
    data = {**data, "annotations": samples} if isinstance(data, dict) else samples
    check_annotations(data, source=path)
    with whole_file(path) as file:
        pickle.dump(data, file, protocol=4)


def as_float32(sample: Sample) -> Sample:
    """Return a sample with its numeric arrays converted to float32."""
    with np.errstate(over="ignore"):  # the check rejects infinite values
        arrays = {
            field: sample[field].astype(np.float32, copy=False)
            for field in ("keypoint", "keypoint_score")
            if is_numeric(sample.get(field))
        }
    return {**sample, **arrays}
