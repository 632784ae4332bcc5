"""Sequences from result objects of Ultralytics and MediaPipe, recognized by their attributes.

A list with one result per frame is a sequence. The objects are converted to the JSON form
of the same library, and read like its files, so the libraries need not be installed.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..errors import DataError, SkipFile
from .base import ReadOptions, Sample, Source, all_formats


def are_results(value: Any) -> bool:
    """Return whether a value is a nonempty list or tuple of results."""
    return (
        isinstance(value, list | tuple)
        and bool(value)
        and all(_is_ultralytics(item) or _is_mediapipe(item) for item in value)
    )


def sequence_of(results: Sequence[Any], options: ReadOptions) -> Sample:
    """Return the sequence of a list of results, one per frame.

    Args:
        results: `Results` of Ultralytics pose models, or `PoseLandmarkerResult` of
            MediaPipe Tasks.
        options: `dimensions` selects the image or world landmarks of MediaPipe.

    Raises:
        DataError: no person is detected (kind `no-person`), or the results do not match
            (a kind of the format's reader).
    """
    source = Source("results", b"")
    content: list[Any]
    if _is_ultralytics(results[0]):
        name, content = "yolo", [_ultralytics(result) for result in results]
    else:
        name, content = "mediapipe", [_mediapipe(result) for result in results]
    source.__dict__["json"] = content
    try:
        [sequence] = all_formats()[name].read(source, options)
    except SkipFile as reason:
        raise DataError(str(reason), kind="no-person") from None
    if name == "yolo":
        sequence["img_shape"] = tuple(map(int, results[0].orig_shape))
    return {key: sequence[key] for key in sequence if key != "notes"}


def _is_ultralytics(item: Any) -> bool:
    return hasattr(item, "orig_shape") and hasattr(item, "keypoints")


def _is_mediapipe(item: Any) -> bool:
    return hasattr(item, "pose_landmarks") and hasattr(item, "pose_world_landmarks")


def _ultralytics(result: Any) -> list[dict[str, Any]]:
    if result.keypoints is None:
        return []
    joints = as_array(result.keypoints.data)  # (P, V, 2 or 3)
    boxes = getattr(result, "boxes", None)
    identities = getattr(boxes, "id", None)
    names = (
        [None] * len(joints) if identities is None else as_array(identities).tolist()
    )
    persons = []
    for person, name in zip(joints.tolist(), names, strict=True):
        columns = dict(
            zip(("x", "y", "visible"), zip(*person, strict=True), strict=False)
        )
        keypoints = {key: list(values) for key, values in columns.items()}
        persons.append({"keypoints": keypoints, "track_id": name})
    return persons


def _mediapipe(result: Any) -> dict[str, Any]:
    return {
        key: [
            [
                {
                    "x": mark.x,
                    "y": mark.y,
                    "z": mark.z,
                    "visibility": 1.0 if mark.visibility is None else mark.visibility,
                }
                for mark in person
            ]
            for person in getattr(result, key)
        ]
        for key in ("pose_landmarks", "pose_world_landmarks")
    }


def as_array(value: Any) -> np.ndarray:
    """Return a tensor on any device, or another array-like object, as a NumPy array."""
    if hasattr(value, "detach"):  # a tensor of PyTorch
        value = value.detach().cpu()
    return np.asarray(value)
