"""Read and write annotation files in the format of MMAction2's PoseDataset.

A file is a pickle of a list of samples, or of a dictionary with `annotations` (the list of
samples) and `split` (names of the splits and lists of ids). A sample is a dictionary with
`frame_dir` or `filename` (its id), `label`, `total_frames`, `keypoint` [M, T, V, C], and,
for 2D joints, `keypoint_score` [M, T, V].

MMAction2 unpickles files without restrictions, so a malicious file can execute arbitrary
code. Importing msg3d prevents this (see `compat/files.py`).
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
        path: pickle of any protocol, written with any version of NumPy.

    Returns:
        A dictionary or a list, as in the file. Call `check_annotations` to check its
        content.

    Raises:
        DataError: the file does not exist (kind `not-found`), is a folder (kind
            `wrong-path`), cannot be read (kind `io`), or imports anything other than
            plain data types (kind `unsafe`). The file is not a pickle (kind
            `wrong-file-type`), or a pickle of neither a dictionary nor a list (kind
            `structure`). The file is empty, truncated, corrupt, or too large (kinds
            `empty`, `truncated`, `corrupt`, and `too-large`).
    """
    path = os.fspath(path)
    if not Path(path).exists():
        raise DataError(
            "the annotation file does not exist. Correct its path (`ann_file` in a "
            "config), or create the file with `msg3d prepare`.",
            kind="not-found",
            file=path,
        )
    if not Path(path).is_file():
        store = path.rstrip(f"/{os.sep}").endswith(".packed")
        raise DataError(
            "the path is a packed store, expected an annotation file (.pkl). Unpack the "
            "store with `msg3d pack STORE NAME.pkl`, or set type='PackedSkeletonDataset' "
            "in the config."
            if store
            else "the path is a folder, expected an annotation file (.pkl)",
            kind="wrong-path",
            file=path,
        )
    try:
        data = load_plain(path, expected=ANNOTATIONS)
    except OSError as error:
        raise DataError(
            f"the file cannot be read ({error.strerror})", kind="io", file=path
        ) from error
    if not isinstance(data, (dict, list)):
        raise mismatch(path, ANNOTATIONS) or DataError(
            f"the pickle contains an object of type {type(data).__name__}, expected a "
            "dictionary with 'split' and 'annotations', or a list of annotations",
            kind="structure",
            file=path,
        )
    return data


def save_annotations(data: Annotations, path: StrPath) -> None:
    """Check annotations and write them atomically, with keypoints as float32.

    Args:
        data: annotations as returned by `load_annotations`; not modified.
        path: file to write. Its folder is created if necessary.

    Raises:
        DataError: the data are not valid annotations (a kind of `faults.KINDS`).
        OSError: the file cannot be written. An existing file remains unchanged.
    """
    path = os.fspath(path)
    samples = [as_float32(sample) for sample in samples_of(data, path)]
    data = {**data, "annotations": samples} if isinstance(data, dict) else samples
    check_annotations(data, source=path)
    with whole_file(path) as file:
        pickle.dump(data, file, protocol=4)


def as_float32(sample: Sample) -> Sample:
    """Return a copy of a sample with `keypoint` and `keypoint_score` as float32."""
    with np.errstate(over="ignore"):  # the check rejects infinite values
        arrays = {
            field: sample[field].astype(np.float32, copy=False)
            for field in ("keypoint", "keypoint_score")
            if is_numeric(sample.get(field))
        }
    return {**sample, **arrays}
