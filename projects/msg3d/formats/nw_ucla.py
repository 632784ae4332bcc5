"""Reader for Northwestern-UCLA Multiview Action3D skeleton files (Wang et al., CVPR 2014).

Each file is a JSON object with a sequence of the 20 joints of Kinect v1, in meters:

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
    """Content of an NW-UCLA file.

    Attributes:
        name: name of the file, without the suffix.
        label: label of the class, starting at 1.
        keypoint: keypoints, float32 [1, T, 20, 3].
    """

    name: Any
    label: Any
    keypoint: np.ndarray


def read_record(record: Any) -> Record:
    """Read a sequence from the parsed JSON of an NW-UCLA file.

    Name and label are not checked.

    Raises:
        DataError: an entry is missing or invalid.
    """
    if not isinstance(record, dict) or not set(FIELDS) <= set(record):
        raise DataError(
            "the file has an unexpected structure, expected a JSON object with the keys "
            f"{', '.join(map(repr, FIELDS))}",
            kind="structure",
        )
    keypoint = _as_array(record["skeletons"])[None]
    return Record(record["file_name"], record["label"], keypoint)


def _as_array(skeletons: Any) -> np.ndarray:
    """Convert the frames of a file to float32 [T, 20, 3]."""

    def error(text: str, kind: str) -> DataError:
        return DataError(text, kind=kind, field="skeletons")

    if not isinstance(skeletons, list) or not skeletons:
        raise error(
            "'skeletons' is empty or not a list, expected at least one frame", "empty"
        )
    for number, frame in enumerate(skeletons):
        if not isinstance(frame, list) or len(frame) != JOINTS:
            count = len(frame) if isinstance(frame, list) else type(frame).__name__
            raise error(
                f"frame {number} of 'skeletons' does not match the layout, expected "
                f"{JOINTS} joints, got {count}",
                "layout",
            )
        if any(not isinstance(joint, list) or len(joint) != 3 for joint in frame):
            raise error(
                f"frame {number} of 'skeletons' has an invalid joint, expected [x, y, z]",
                "shape",
            )
    try:
        array = np.array(skeletons)
    except ValueError:  # nested lists instead of numbers
        array = np.array(None)
    if array.dtype.kind not in "fi" or array.ndim != 3:
        raise error("a coordinate in 'skeletons' is not a number", "number")
    with np.errstate(over="ignore"):
        array = array.astype(np.float32)
    finite = np.isfinite(array).all(axis=(1, 2))
    if not finite.all():
        raise error(
            f"{np.sum(~finite)} of {len(array)} frames contain NaN or infinity (first: "
            f"frame {np.argmin(finite)}), expected finite numbers",
            "not-finite",
        )
    if not array.any():
        raise error(
            f"all joints are zero in all {len(array)} frames (no person detected). Remove "
            "the file.",
            "no-person",
        )
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
    keeps="joints in meters, label",
    suffixes=(".json",),
    detect=_detect,
    read=_read,
)
