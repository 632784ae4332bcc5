"""Reader for JSON files of Ultralytics YOLO pose models with COCO joints.

The file is a list with `result.to_json()` of each frame, as strings or as parsed JSON.
`track_id` and `visible` are optional:

    [[{"name": "person", "keypoints": {"x": [...], "y": [...], "visible": [...]},
       "track_id": 1}, ...], ...]

A list of persons is read as a single frame.
"""

from ..errors import DataError
from ..io.json_data import list_of_objects, need_fields
from .base import Format, ReadOptions, Sample, Source
from .persons import Persons, as_sequences, frames_of


def _read(source: Source, options: ReadOptions) -> list[Sample]:
    persons = Persons()
    for number, people, place in frames_of(source.json, "", persons):
        for index, person in enumerate(list_of_objects(people, place)):
            where = f"{place}[{index}]"
            need_fields(person, ("keypoints",), where)
            joints = person["keypoints"]
            need_fields(joints, ("x", "y"), f"{where}.keypoints")
            x, y = joints["x"], joints["y"]
            if not isinstance(x, list) or not isinstance(y, list) or len(x) != len(y):
                raise DataError(
                    f"{where}.keypoints is invalid, expected lists 'x' and 'y' of equal "
                    "length",
                    kind="shape",
                    field=f"{where}.keypoints",
                )
            # Models trained without visibility do not output `visible`.
            scores = joints.get("visible", [1.0] * len(x))
            pairs = [list(pair) for pair in zip(x, y, strict=True)]
            persons.add(number, pairs, scores, person.get("track_id"), where)
    return as_sequences(persons, "yolo", source, options)


def _detect(source: Source) -> bool:
    item = source.first_item
    return (
        isinstance(source.json, list)
        and isinstance(item, dict)
        and isinstance(item.get("keypoints"), dict)
    )


FORMAT = Format(
    name="yolo",
    title="Ultralytics YOLO, a video or a frame",
    keeps="joints, visibility, track ids",
    suffixes=(".json",),
    detect=_detect,
    read=_read,
    needs=("img_shape",),
)
