"""Reader for COCO annotations of video frames.

`track_id` is defined as in PoseTrack. The third number of each joint is a score or a
visibility flag, which is 0 for joints without a position:

    {"images": [{"id": 7, "file_name": "000007.jpg", "height": 480, "width": 640}],
     "annotations": [{"image_id": 7, "keypoints": [x, y, v, ...], "track_id": 0}],
     "categories": [{"keypoints": ["nose", ...]}]}
"""

from typing import Any

from ..errors import DataError
from ..io.json_data import list_of_objects, need_fields
from .base import Format, ReadOptions, Sample, Source
from .frames import frame_number
from .persons import JOINTS, Persons, as_sequences, split_scores


def _read(source: Source, options: ReadOptions) -> list[Sample]:
    data, persons = source.json, Persons()
    need_fields(data, ("images", "annotations"), "the file")
    _check_categories(data)
    numbers = _number_images(data, persons)
    people = list_of_objects(data["annotations"], "annotations")
    for index, person in enumerate(people):
        where = f"annotations[{index}]"
        need_fields(person, ("image_id", "keypoints"), where)
        frame_number(person["image_id"], f"{where}.image_id")
        if person["image_id"] not in numbers:
            raise DataError(
                f"{where} has 'image_id' {person['image_id']}, expected an 'id' in "
                "'images'",
                kind="unknown-name",
                field=where,
            )
        joints, scores = split_scores(person["keypoints"], where)
        number = numbers[person["image_id"]]
        persons.add(number, joints, scores, person.get("track_id"), where)
    if all(score in (0, 1, 2) for scores in persons.scores for score in scores):
        # 1 is occluded and 2 is visible. Both have an annotated position.
        persons.scores = [
            [min(flag, 1) for flag in scores] for scores in persons.scores
        ]
    return as_sequences(persons, "coco", source, options)


def _check_categories(data: dict[str, Any]) -> None:
    for category in list_of_objects(data.get("categories", []), "categories"):
        names = category.get("keypoints")
        if isinstance(names, list) and names[: len(JOINTS)] != list(JOINTS):
            raise DataError(
                f"the joints in 'categories' are {', '.join(map(repr, names))}, expected "
                f"{', '.join(map(repr, JOINTS))}",
                kind="layout",
                field="categories",
            )


def _number_images(data: dict[str, Any], persons: Persons) -> dict[Any, int]:
    """Return image id -> frame number, and set `numbers` and `img_shape` of `persons`."""
    numbers, shapes = {}, set()
    for index, image in enumerate(list_of_objects(data["images"], "images")):
        where = f"images[{index}]"
        need_fields(image, ("id",), where)
        name = image.get("frame_id", image.get("file_name", image["id"]))
        number = frame_number(name, where)
        frame_number(image["id"], f"{where}.id")
        numbers[image["id"]] = number
        if type(image.get("height")) is int and type(image.get("width")) is int:
            shapes.add((image["height"], image["width"]))
    if len(shapes) > 1:
        raise DataError(
            f"the images have different sizes (height, width), expected one size per "
            f"video; got {', '.join(map(str, sorted(shapes)))}",
            kind="img-shape",
            field="images",
        )
    persons.numbers = list(numbers.values())
    persons.img_shape = next(iter(shapes), None)
    if len(set(persons.numbers)) < len(persons.numbers):
        raise DataError(
            "two entries of 'images' have the same frame number ('frame_id', or the number "
            "in 'file_name'), expected unique numbers",
            kind="frame-numbers",
            field="images",
        )
    return numbers


FORMAT = Format(
    name="coco",
    title="COCO annotations of the frames of a video",
    keeps="joints, scores or visibility, track ids, image size",
    suffixes=(".json",),
    detect=lambda source: (
        isinstance(source.json, dict)
        and "annotations" in source.json
        and "category_id" not in source.json  # mmskeleton
    ),
    read=_read,
)
