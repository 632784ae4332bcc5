"""Which estimator wrote a file, by what stands in it; the forms: `estimator_json.py`."""

from typing import Any

from ..errors import DataError
from ..io.json_data import json_of_text


def guess_form(data: Any) -> str | None:
    """The name of the form; None for lists in which there is nobody.

    Raises:
        DataError: it is none of them.
    """
    if isinstance(data, dict):
        if "annotations" in data:
            return "coco"
        if "instance_info" in data or "predictions" in data:
            return "mmpose"
    elif isinstance(data, list):
        first = _first_object(data)
        if first is None:
            return None
        if "image_id" in first:
            return "alphapose"
        if "instances" in first or "keypoint_scores" in first:
            return "mmpose"
        if isinstance(first.get("keypoints"), dict):
            return "yolo"
    raise DataError(
        "is the output of no known estimator, expected that of MMPose, AlphaPose, "
        "Ultralytics' YOLO or COCO's annotations"
    )


def _first_object(data: Any) -> dict | None:
    """The first JSON object in lists of lists, looked for in texts as well."""
    stack = [data]
    while stack:
        one = stack.pop()
        if isinstance(one, str):
            one = json_of_text(one, "a frame")
        if isinstance(one, dict):
            return one
        if isinstance(one, list):
            stack.extend(reversed(one))
        else:
            raise DataError(f"holds {one!r:.40}, expected persons or frames")
    return None
