"""Reader for MMPose JSON files with COCO joints.

The demos, and MMPoseInferencer with `pred_out_dir`, write one file per video. Users also
collect results in lists, or under the key `predictions`. `track_id` is optional:

    {"meta_info": {...}, "instance_info": [{"frame_id": 1, "instances": [
      {"keypoints": [[x, y], ...], "keypoint_scores": [s, ...]}]}]}
    [{"frame_id": 0, "instances": [...]}]    [[{"keypoints": ...}, ...], ...]

A list of persons is read as a single frame.
"""

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
            need_fields(person, ("keypoints", "keypoint_scores"), where)
            persons.add(
                number,
                person["keypoints"],
                person["keypoint_scores"],
                person.get("track_id"),
                where,
            )
    return as_sequences(persons, "mmpose", source, options)


def _detect(source: Source) -> bool:
    data, item = source.json, source.first_item
    if isinstance(data, dict):
        return "instance_info" in data or "predictions" in data
    if item is None:  # only empty lists: no person detected
        return isinstance(data, list)
    fields = {"instances", "keypoint_scores"}
    return (
        isinstance(item, dict)
        and "image_id" not in item
        and bool(fields.intersection(item))
    )


FORMAT = Format(
    name="mmpose",
    title="MMPose, a video or a frame",
    suffixes=(".json",),
    detect=_detect,
    read=_read,
    needs=("img_shape",),
)
