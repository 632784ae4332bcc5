"""Skeleton files of Northwestern-UCLA Multiview Action3D (Wang et al., CVPR 2014).

A JSON object per sequence, with 20 joints of Kinect v1 in meters:

    {"file_name": "a01_s02_e03_v01", "skeletons": [[[x, y, z], ...], ...], "label": 1}
"""

from typing import Any, NamedTuple

import numpy as np

from ..errors import DataError
from .base import Format, ReadOptions, Sample, Source

FIELDS = ("file_name", "label", "skeletons")
LAYOUT = "kinect20"
JOINTS = 20


class Record(NamedTuple):
    """The content of a file.

    Attributes:
        name: of the file, without the suffix.
        label: number of the class, from 1.
        keypoint: float32 [1, T, 20, 3].
    """

    name: Any
    label: Any
    keypoint: np.ndarray


def read_record(record: Any) -> Record:
    """Read the JSON of a file; name and label are not checked.

    Raises:
        DataError: an entry is missing or invalid.
    """
    if not isinstance(record, dict) or not set(FIELDS) <= set(record):
        raise DataError(
            f"is not a JSON object with the fields {list(FIELDS)}", kind="structure"
        )
    keypoint = _as_array(record["skeletons"])[None]
    return Record(record["file_name"], record["label"], keypoint)


def _as_array(skeletons: Any) -> np.ndarray:
    """The frames of a file as float32 [T, 20, 3]."""

    def error(text: str, kind: str) -> DataError:
        return DataError(f"skeletons {text}", kind=kind, field="skeletons")

    if not isinstance(skeletons, list) or not skeletons:
        raise error("is empty, expected at least one frame", "empty")
    for number, frame in enumerate(skeletons):
        if not isinstance(frame, list) or len(frame) != JOINTS:
            count = len(frame) if isinstance(frame, list) else type(frame).__name__
            raise error(
                f"has {count} joints in frame {number}, expected {JOINTS}", "layout"
            )
        if any(not isinstance(joint, list) or len(joint) != 3 for joint in frame):
            raise error(f"has a joint in frame {number} that is not [x, y, z]", "shape")
    try:
        array = np.array(skeletons)
    except ValueError:  # lists in place of numbers
        array = np.array(None)
    if array.dtype.kind not in "fi" or array.ndim != 3:
        raise error("contains something that is not a number", "number")
    with np.errstate(over="ignore"):
        array = array.astype(np.float32)
    finite = np.isfinite(array).all(axis=(1, 2))
    if not finite.all():
        raise error(
            f"is NaN or infinite in {np.sum(~finite)} of {len(array)} frames, first in "
            f"frame {np.argmin(finite)}",
            "not-finite",
        )
    if not array.any():
        raise error(f"is zero in all {len(array)} frames", "no-person")
    return array


def _detect(source: Source) -> bool:
    return isinstance(source.json, dict) and set(FIELDS) <= set(source.json)


def _read(source: Source, options: ReadOptions) -> list[Sample]:
    record = read_record(source.json)
    sequence: Sample = {
        "frame_dir": source.id,
        "keypoint": record.keypoint,
        "layout": LAYOUT,
        "unit": "m",
    }
    if type(record.label) is int and record.label > 0:
        sequence["label"] = record.label - 1
    return [sequence]


FORMAT = Format(
    name="nw_ucla",
    title="NW-UCLA sequences",
    suffixes=(".json",),
    detect=_detect,
    read=_read,
)
