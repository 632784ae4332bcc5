"""The JSON of 2D pose estimators with COCO's joints, as persons frame by frame.

`mmpose`, a video of the demos, of MMPoseInferencer's `pred_out_dir`, or its results as
users collect them (the frames also under the key `predictions`; `track_id` optional):

    {"meta_info": {...}, "instance_info": [{"frame_id": 1, "instances": [
      {"keypoints": [[x, y], ...], "keypoint_scores": [s, ...]}]}]}
    [{"frame_id": 0, "instances": [...]}]    [[{"keypoints": ...}, ...], ...]

`alphapose`, also COCO's form of results; a person an entry, `idx` if tracked:

    [{"image_id": "0.jpg", "category_id": 1, "keypoints": [x, y, s, ...],
      "score": 2.9, "box": [...], "idx": 1}]

`coco`, annotations; `track_id` as PoseTrack has it. The third number is a flag, 0 for
a joint without a position, or a score:

    {"images": [{"id": 7, "file_name": "000007.jpg", "height": 480, "width": 640}],
     "annotations": [{"image_id": 7, "keypoints": [x, y, v, ...], "track_id": 0}],
     "categories": [{"keypoints": ["nose", ...]}]}

`yolo`, Ultralytics' `result.to_json()` of every frame, each as text or as JSON:

    [[{"name": "person", "keypoints": {"x": [...], "y": [...], "visible": [...]},
       "track_id": 1}, ...], ...]

In `mmpose` and `yolo`, a list of persons is one frame, which a file may hold alone.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ..errors import DataError
from ..io.json_data import json_of_text, list_of_objects, need_fields
from ..skeletons import skeleton

JOINTS = skeleton("coco").joints


@dataclass
class Persons:
    """Who was found in a file, as it stands there.

    Attributes:
        single: whether the file is one frame of a video.
        numbers: of all frames listed, with persons or without.
        img_shape: (height, width), where the file says it.
        frames: of each person, the number of its frame.
        joints, scores: of each person, as far as the form has them apart.
        identities: of each person, None where there is none.
        places: of each person, where it stands in the file.
    """

    single: bool = False
    numbers: list[int] = field(default_factory=list)
    img_shape: tuple[int, int] | None = None
    frames: list[int] = field(default_factory=list)
    joints: list = field(default_factory=list)
    scores: list = field(default_factory=list)
    identities: list[int | None] = field(default_factory=list)
    places: list[str] = field(default_factory=list)

    def add(self, number: int, joints, scores, identity, place: str) -> None:
        self.frames.append(number)
        self.joints.append(joints)
        self.scores.append(scores)
        self.identities.append(_identity(identity, place))
        self.places.append(place)


def read_persons(data: Any, form: str) -> Persons:
    """The persons of a file.

    Args:
        data: what the JSON holds.
        form: "mmpose", "alphapose", "coco" or "yolo".

    Raises:
        DataError: the first place that is not as the form has it.
    """
    return _READERS[form](data)


def _mmpose(data: Any) -> Persons:
    at = ""
    if isinstance(data, dict):
        at = "instance_info" if "instance_info" in data else "predictions"
        data = data.get(at)
    persons = Persons()
    for number, instances, place in _frames(data, at, persons):
        for one, person in enumerate(list_of_objects(instances, place)):
            where = f"{place}[{one}]"
            need_fields(person, ("keypoints", "keypoint_scores"), where)
            persons.add(
                number,
                person["keypoints"],
                person["keypoint_scores"],
                person.get("track_id"),
                where,
            )
    return persons


def _yolo(data: Any) -> Persons:
    persons = Persons()
    for number, found, place in _frames(data, "", persons):
        for one, person in enumerate(list_of_objects(found, place)):
            where = f"{place}[{one}]"
            need_fields(person, ("keypoints",), where)
            joints = person["keypoints"]
            if not isinstance(joints, dict):
                raise DataError(f"{where}.keypoints is no object with x, y and visible")
            need_fields(joints, ("x", "y"), f"{where}.keypoints")
            x, y = joints["x"], joints["y"]
            if not isinstance(x, list) or not isinstance(y, list) or len(x) != len(y):
                raise DataError(
                    f"{where}.keypoints: x and y are no lists of one length"
                )
            # A model trained without visibility gives none.
            scores = joints.get("visible", [1.0] * len(x))
            joints = [list(joint) for joint in zip(x, y)]
            persons.add(number, joints, scores, person.get("track_id"), where)
    return persons


def _alphapose(data: Any) -> Persons:
    persons = Persons()
    for one, person in enumerate(list_of_objects(data, "")):
        where = f"[{one}]"
        need_fields(person, ("image_id", "keypoints"), where)
        number = frame_number(person["image_id"], f"{where}.image_id")
        persons.numbers.append(number)
        joints, scores = _split(person["keypoints"], where)
        identity = person.get("idx", person.get("track_id"))
        persons.add(number, joints, scores, identity, where)
    return persons


def _coco(data: Any) -> Persons:
    need_fields(data, ("images", "annotations"), "the file")
    for category in list_of_objects(data.get("categories", []), "categories"):
        names = category.get("keypoints")
        if isinstance(names, list) and names[: len(JOINTS)] != list(JOINTS):
            raise DataError(
                f"categories: the joints are {names}, expected {list(JOINTS)}"
            )
    persons, numbers, shapes = Persons(), {}, set()
    for one, image in enumerate(list_of_objects(data["images"], "images")):
        where = f"images[{one}]"
        need_fields(image, ("id",), where)
        named = image.get("frame_id", image.get("file_name", image["id"]))
        number = frame_number(named, where)
        frame_number(image["id"], f"{where}.id")
        numbers[image["id"]] = number
        if type(image.get("height")) is int and type(image.get("width")) is int:
            shapes.add((image["height"], image["width"]))
    if len(shapes) > 1:
        raise DataError(f"images have the sizes {sorted(shapes)}, expected one a video")
    persons.numbers = list(numbers.values())
    if len(set(persons.numbers)) < len(persons.numbers):
        raise DataError("two images have the same frame_id or number in file_name")
    persons.img_shape = next(iter(shapes), None)
    for one, person in enumerate(list_of_objects(data["annotations"], "annotations")):
        where = f"annotations[{one}]"
        need_fields(person, ("image_id", "keypoints"), where)
        frame_number(person["image_id"], f"{where}.image_id")
        if person["image_id"] not in numbers:
            raise DataError(
                f"{where} is of image {person['image_id']}, which is not there"
            )
        number = numbers[person["image_id"]]
        joints, scores = _split(person["keypoints"], where)
        persons.add(number, joints, scores, person.get("track_id"), where)
    if all(score in (0, 1, 2) for scores in persons.scores for score in scores):
        # 1 is hidden and 2 visible; a person has set the position of either.
        persons.scores = [[min(one, 1) for one in scores] for scores in persons.scores]
    return persons


_READERS = dict(mmpose=_mmpose, alphapose=_alphapose, coco=_coco, yolo=_yolo)
FORMS = tuple(_READERS)


def _frames(data: Any, at: str, persons: Persons) -> Iterator[tuple[int, Any, str]]:
    """(number, list of persons, place) of each frame; fills `persons.numbers`."""
    if not isinstance(data, list):
        raise DataError(f"{at or 'the file'} is no list of frames")
    persons.single = not at and all(
        isinstance(one, dict) and "instances" not in one for one in data
    )
    for place, frame in enumerate([data] if persons.single else data):
        where = "" if persons.single else f"{at}[{place}]"
        number = place
        if isinstance(frame, dict):
            need_fields(frame, ("instances",), where)
            number = frame.get("frame_id", place)
            if type(number) is not int:
                raise DataError(
                    f"{where}.frame_id is {number!r:.40}, expected a number"
                )
            frame, where = frame["instances"], f"{where}.instances"
        if isinstance(frame, str):
            frame = json_of_text(frame, where)
        # MMPoseInferencer gives lists of a batch, of one frame each.
        while (
            isinstance(frame, list) and len(frame) == 1 and isinstance(frame[0], list)
        ):
            frame, where = frame[0], f"{where}[0]"
        persons.numbers.append(number)
        yield number, frame, where
    if len(set(persons.numbers)) < len(persons.numbers):
        raise DataError("a frame_id is there twice, expected each once")


def _split(numbers: Any, where: str) -> tuple[list, list]:
    """`[x, y, s, x, y, s, ...]` -> [[x, y], ...] and [s, ...]."""
    if not isinstance(numbers, list) or len(numbers) % 3:
        raise DataError(f"{where}.keypoints is no list of x, y, score of each joint")
    joints = [list(pair) for pair in zip(numbers[::3], numbers[1::3])]
    return joints, numbers[2::3]


def frame_number(name: Any, where: str) -> int:
    """A number, or the last one in a file's name: `frame_000123.jpg` -> 123."""
    if type(name) is int:
        return name
    # Not the 4 of `.mp4`.
    stem = re.sub(r"\.[A-Za-z]\w*$", "", name) if isinstance(name, str) else ""
    digits = re.findall(r"[0-9]+", stem)
    if not digits:
        raise DataError(
            f"{where} is {name!r:.40}, expected a frame's number or file name"
        )
    return int(digits[-1][-18:])


def _identity(found: Any, place: str) -> int | None:
    """A tracker's number; AlphaPose wraps it in a list or makes a float of it."""
    if isinstance(found, list) and len(found) == 1:
        found = found[0]
    if found is None:
        return None
    if isinstance(found, (int, float)) and found == found and abs(found) < 2**53:
        if int(found) == found:
            return int(found)
    raise DataError(f"{place} has the identity {found!r:.40}, expected a whole number")
