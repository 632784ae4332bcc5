"""MediaPipe Pose's results as people store them in JSON, a file a video.

A list of frames, or an object with the key `frames`; a frame is a person, a list of
persons, an object that holds either for each kind of landmark, or empty for nobody:

    [[{"x": 0.51, "y": 0.22, "z": -0.3, "visibility": 0.99}, ... 33], ...]
    {"frames": [{"pose_landmarks": [...], "pose_world_landmarks": [...]}, ...]}
    {"frames": [{"landmarks": [...], "world_landmarks": [...]}, ...]}
"""

from typing import Any, NamedTuple

import numpy as np

from ..errors import DataError
from ..io.json_data import need_fields, read_json, stack_numbers

JOINTS = 33
KEYS = dict(
    image=("pose_landmarks", "landmarks"),
    world=("pose_world_landmarks", "world_landmarks"),
)


class Landmarks(NamedTuple):
    """What a file holds.

    Attributes:
        numbers: of all frames, with persons or without.
        frames: of each person, the number of its frame.
        persons: float32 [P, 33, 4]: x, y, z, visibility.
        image: the same of the image, by which persons can be told apart; None where
            the file has them not for every person.
    """

    numbers: list[int]
    frames: list[int]
    persons: np.ndarray
    image: np.ndarray | None


def read_landmarks(content: bytes, coordinates: str) -> Landmarks:
    """The landmarks of a JSON file.

    Args:
        content: as above; `z` and `visibility` may be missing and are then 0 and 1.
        coordinates: "image" or "world".

    Raises:
        DataError: the first place that is not so.
    """
    data = read_json(content)
    frames, at = data, ""
    if isinstance(data, dict):
        need_fields(data, ("frames",), "the file")
        frames, at = data["frames"], "frames"
    if not isinstance(frames, list):
        raise DataError(f"{at or 'the file'} is no list of frames")
    if frames and all(_is_landmark(one) for one in frames):
        raise DataError("is one frame, expected a list of the frames of a video")
    when, persons, images, both = [], [], [], True
    for number, frame in enumerate(frames):
        where = f"{at}[{number}]"
        found = _persons(frame, coordinates, where)
        persons += found
        when += [number] * len(found)
        seen = found
        if coordinates == "world":
            named = isinstance(frame, dict) and set(frame).intersection(KEYS["image"])
            seen = _persons(frame, "image", where) if named else []
        images += seen
        both = both and len(seen) == len(found)
    return Landmarks(
        list(range(len(frames))),
        when,
        np.array(persons, dtype=np.float32).reshape(-1, JOINTS, 4),
        np.array(images) if both else None,
    )


def _persons(frame: Any, coordinates: str, where: str) -> list[np.ndarray]:
    """The persons of a frame, each [33, 4]."""
    if isinstance(frame, dict) and frame:
        keys = [key for key in KEYS[coordinates] if key in frame]
        if not keys:
            raise DataError(
                f"{where} has {sorted(frame)[:6]}, expected {KEYS[coordinates][0]} or "
                f"{KEYS[coordinates][1]} for --coordinates {coordinates}"
            )
        frame, where = frame[keys[0]], f"{where}.{keys[0]}"
    if frame is None or frame == [] or frame == {}:
        return []
    if not isinstance(frame, list):
        raise DataError(f"{where} is {frame!r:.40}, expected {JOINTS} landmarks")
    if any(_is_landmark(one) for one in frame):
        return [_person(frame, where)]
    return [_person(one, f"{where}[{place}]") for place, one in enumerate(frame)]


def _person(landmarks: Any, where: str) -> np.ndarray:
    if not isinstance(landmarks, list) or len(landmarks) != JOINTS:
        found = len(landmarks) if isinstance(landmarks, list) else "no list of"
        raise DataError(f"{where} has {found} landmarks, expected {JOINTS}")
    for place, one in enumerate(landmarks):
        need_fields(one, ("x", "y"), f"{where}[{place}]")
    rows = [
        [one["x"], one["y"], one.get("z", 0.0), one.get("visibility", 1.0)]
        for one in landmarks
    ]
    return stack_numbers(rows, (4,), lambda place: f"{where}[{place}]")


def _is_landmark(found: Any) -> bool:
    return isinstance(found, dict) and "x" in found
