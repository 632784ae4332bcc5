"""Reader for MMPose JSON files with COCO joints.

The demos, and MMPoseInferencer with `pred_out_dir`, write one file per video. Users also
collect results in lists, or under the key `predictions`. `track_id` is optional:

    {"meta_info": {...}, "instance_info": [{"frame_id": 1, "instances": [
      {"keypoints": [[x, y], ...], "keypoint_scores": [s, ...]}]}]}
    [{"frame_id": 0, "instances": [...]}]    [[{"keypoints": ...}, ...], ...]

In results of MMPose 0.x, scores are the third column of the keypoints, without
`keypoint_scores`. A list of persons is read as a single frame.
"""

from typing import Any

from ..errors import DataError
from ..io.json_data import list_of_objects, need_fields
from .base import Format, ReadOptions, Sample, Source
from .persons import Persons, as_sequences, frames_of


def _read(source: Source, options: ReadOptions) -> list[Sample]:
    data, key = source.json, ""
    if isinstance(data, dict):
        key = "instance_info" if "instance_info" in data else "predictions"
        data = data.get(key)
    persons = Persons()
    for number, instances, place in frames_of(data, key, persons):
        for index, person in enumerate(list_of_objects(instances, place)):
            where = f"{place}[{index}]"
            need_fields(person, ("keypoints",), where)
            joints = person["keypoints"]
            if "keypoint_scores" not in person:
                joints, scores = _third_column(joints, where)
            else:
                scores = person["keypoint_scores"]
            persons.add(
                number,
                joints,
                scores,
                person.get("track_id"),
                where,
            )
    return as_sequences(persons, "mmpose", source, options)


def _third_column(rows: Any, where: str) -> tuple[list[list[Any]], list[Any]]:
    """Divide rows of x, y, and score."""
    if not isinstance(rows, list) or not all(
        isinstance(row, list) and len(row) == 3 for row in rows
    ):
        raise DataError(
            f"{where}.keypoints is invalid, expected [x, y, score] of each joint, or "
            "[x, y] with 'keypoint_scores'",
            kind="shape",
            field=f"{where}.keypoints",
        )
    return [row[:2] for row in rows], [row[2] for row in rows]


def _detect(source: Source) -> bool:
    data, item = source.json, source.first_item
    if isinstance(data, dict):
        return "instance_info" in data or "predictions" in data
    if item is None:  # only empty lists: no person detected
        return isinstance(data, list)
    if not isinstance(item, dict) or "image_id" in item:
        return False
    joints = item.get("keypoints")
    rows = isinstance(joints, list) and joints[:1] and isinstance(joints[0], list)
    return "instances" in item or "keypoint_scores" in item or bool(rows)


FORMAT = Format(
    name="mmpose",
    title="MMPose, a video or a frame",
    keeps="joints, scores, track ids",
    suffixes=(".json",),
    detect=_detect,
    read=_read,
    needs=("img_shape",),
)
