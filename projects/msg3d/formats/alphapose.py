"""Reader for AlphaPose JSON files (COCO results format) with COCO joints.

The file has one entry per person. If the persons were tracked, `idx` is the track id:

    [{"image_id": "0.jpg", "category_id": 1, "keypoints": [x, y, s, ...],
      "score": 2.9, "box": [...], "idx": 1}]
"""

from ..io.json_data import list_of_objects, need_fields
from .base import Format, ReadOptions, Sample, Source
from .frames import frame_number
from .persons import Persons, as_sequences, split_scores


def _read(source: Source, options: ReadOptions) -> list[Sample]:
    persons = Persons()
    for index, person in enumerate(list_of_objects(source.json, "")):
        where = f"[{index}]"
        need_fields(person, ("image_id", "keypoints"), where)
        number = frame_number(person["image_id"], f"{where}.image_id")
        persons.numbers.append(number)
        joints, scores = split_scores(person["keypoints"], where)
        identity = person.get("idx", person.get("track_id"))
        persons.add(number, joints, scores, identity, where)
    return as_sequences(persons, "alphapose", source, options)


def _detect(source: Source) -> bool:
    item = source.first_item
    return (
        isinstance(source.json, list) and isinstance(item, dict) and "image_id" in item
    )


FORMAT = Format(
    name="alphapose",
    title="AlphaPose, or COCO results",
    keeps="joints, scores, track ids",
    suffixes=(".json",),
    detect=_detect,
    read=_read,
    needs=("img_shape",),
)
