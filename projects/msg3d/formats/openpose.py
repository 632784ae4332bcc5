"""Reader for OpenPose JSON files (`--write_json`), one per frame.

    {"version": 1.3, "people": [{"person_id": [-1],
      "pose_keypoints_2d": [x0, y0, c0, x1, ...]}]}

Files are named `VIDEO_000000000012_keypoints.json`. The BODY_25 model has 25 joints, and
the COCO model has 18.
"""

import numpy as np

from ..errors import DataError
from ..io.json_data import list_of_objects, need_fields, stack_numbers
from ..skeletons.units import check_image_unit
from .base import Format, ReadOptions, Sample, Source

LAYOUTS = {25: "openpose25", 18: "openpose"}


def _read(source: Source, options: ReadOptions) -> list[Sample]:
    need_fields(source.json, ("people",), "the file")
    numbers, fields = [], []
    for index, person in enumerate(list_of_objects(source.json["people"], "people")):
        need_fields(person, ("pose_keypoints_2d",), f"people[{index}]")
        fields.append(f"people[{index}].pose_keypoints_2d")
        numbers.append(person["pose_keypoints_2d"])
    first = numbers[0] if numbers else [0.0] * 75
    joints = len(first) // 3 if isinstance(first, list) and len(first) % 3 == 0 else 0
    if joints not in LAYOUTS:
        raise DataError(
            f"{fields[0]} is invalid, expected a list with x, y, and score "
            "of 25 joints (BODY_25) or 18 joints (COCO)",
            kind="layout",
            field=fields[0],
        )
    values = stack_numbers(numbers, (3 * joints,), fields.__getitem__)
    values = values.reshape(-1, joints, 3)
    largest = float(np.abs(values[..., :2]).max(initial=0))
    check_image_unit(largest, options.unit or "px")
    return [
        {
            "frame_dir": source.id,
            "poses": values[..., :2],
            "scores": values[..., 2],
            "identities": [None] * len(values),
            "layout": LAYOUTS[joints],
            "form": "openpose",
        }
    ]


FORMAT = Format(
    name="openpose",
    title="OpenPose (folder with one file per frame)",
    keeps="joints of the body, scores",
    suffixes=(".json",),
    detect=lambda source: isinstance(source.json, dict) and "people" in source.json,
    read=_read,
    needs=("img_shape",),
    frames=True,
)
