"""Annotation files in MMAction2's PoseDataset form: read, checked and written.

A file is a pickle of `dict(split={name: [ids]}, annotations=[sample, ...])`, or of
the plain list of samples. A sample is a dictionary of `frame_dir` (its id; or
`filename`), `label`, `total_frames`, `keypoint` [M, T, V, C] and, for 2D joints,
`keypoint_score` [M, T, V].

MMAction2 unpickles such a file without limits, so that a file may execute anything;
where this package is imported, it does so no more (`compat/files.py`).
"""

import os
import pickle

import numpy as np

from ..errors import DataError
from ..io.atomic import whole_file
from ..io.file_type import ANNOTATIONS, mismatch
from ..io.safe_pickle import RefusedGlobal, Truncated, load_plain
from .check import Annotations, check_annotations, samples_of
from .sample_check import is_numeric

__all__ = [
    "DataError",
    "Annotations",
    "check_annotations",
    "load_annotations",
    "save_annotations",
]


def load_annotations(path: str) -> Annotations:
    """Read an annotation file, executing nothing of it.

    Args:
        path: the pickle; any protocol, written with any numpy.

    Returns:
        What it holds, unchecked beyond its type (see `check_annotations`).

    Raises:
        DataError: no such file, a folder, not a pickle, truncated, neither a
            dictionary nor a list, or a pickle of anything but plain data.
    """
    path = os.fspath(path)
    if not os.path.exists(path):
        raise DataError(
            f"annotation file {path} does not exist: set `ann_file` to where it is, "
            "or make it with a command of tools/data"
        )
    if not os.path.isfile(path):
        raise DataError(
            f"annotation file {path} is a folder: name the .pkl file in it (a packed "
            "store is for type='PackedSkeletonDataset')"
        )
    try:
        data = load_plain(path)
    except RefusedGlobal as error:
        if str(error).startswith("torch."):
            said = mismatch(path, ANNOTATIONS)
            if said is not None:
                raise DataError(f"annotation file {path} {said}") from None
        raise DataError(
            f"annotation file {path} asks to import {error}, which plain containers "
            "and numpy arrays do not need, and was not executed: take it only from where "
            "you trust, written with msg3d.datasets.save_annotations"
        ) from None
    except OSError as error:
        raise DataError(
            f"annotation file {path} cannot be read: {error.strerror}"
        ) from error
    except (Truncated, EOFError, MemoryError) as error:
        why = error or "it promises more than memory holds"
        raise DataError(
            f"annotation file {path} is truncated or damaged ({why}; it has "
            f"{os.path.getsize(path)} bytes): copy or make it again"
        ) from error
    # A damaged pickle raises whatever the operation it lands on raises.
    except Exception as error:
        said = " ".join(str(error).split()) or type(error).__name__
        if "truncated" in said:
            why = f"is truncated ({os.path.getsize(path)} bytes)"
        else:
            why = f"is not a pickle that can be read ({said:.200})"
        other = mismatch(path, ANNOTATIONS)
        if other is not None:
            raise DataError(f"annotation file {path} {other}") from error
        raise DataError(
            f"annotation file {path} {why}: copy or make it again"
        ) from error
    if not isinstance(data, (dict, list)):
        said = mismatch(path, ANNOTATIONS) or (
            f"holds a {type(data).__name__}: expected dict(split={{name: [ids]}}, "
            "annotations=[...]) or a list of annotations"
        )
        raise DataError(f"annotation file {path} {said}")
    return data


def save_annotations(data: Annotations, path: str) -> None:
    """Check annotations and write them, whole or not at all, as float32.

    Args:
        data: as `load_annotations` returns it; left unchanged.
        path: where to; its folder is made if it is not there.

    Raises:
        DataError: the data are not valid annotations.
        OSError: the file cannot be written; one of that name is left as it was.
    """
    samples = [as_float32(sample) for sample in samples_of(data, os.fspath(path))]
    data = {**data, "annotations": samples} if isinstance(data, dict) else samples
    check_annotations(data, source=os.fspath(path))
    with whole_file(path) as file:
        pickle.dump(data, file, protocol=4)


def as_float32(sample: dict) -> dict:
    """Return a sample with its numeric arrays as float32; others are for the check."""
    with np.errstate(over="ignore"):  # the check finds what became infinite
        arrays = {
            field: sample[field].astype(np.float32, copy=False)
            for field in ("keypoint", "keypoint_score")
            if is_numeric(sample.get(field))
        }
    return {**sample, **arrays}
