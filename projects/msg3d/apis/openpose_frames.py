"""OpenPose's own JSON (`--write_json`), a file a frame, as one sequence.

    {"version": 1.3, "people": [{"person_id": [-1],
      "pose_keypoints_2d": [x0, y0, c0, x1, ...]}]}

in files `VIDEO_000000000012_keypoints.json`. BODY_25 has 25 joints, the COCO model 18.
OpenPose does not track, so persons are matched from frame to frame (`tracks.py`).
"""

from collections.abc import Sequence
from typing import Any

from ..errors import DataError
from ..formats.estimator_json import frame_number
from ..io.json_data import list_of_objects, need_fields, stack_numbers
from ..preprocessing.tracks import Observations, frame_positions, join_tracks

LAYOUTS = {25: "openpose25", 18: "openpose"}


def is_openpose_frame(data: Any) -> bool:
    """Whether a file's JSON is a frame of OpenPose."""
    return isinstance(data, dict) and "people" in data


def join_openpose(frames: Sequence[tuple[str, Any]], max_persons: int) -> dict:
    """All frames of a video as a sequence.

    Args:
        frames: (name of the file, what its JSON holds) of each.
        max_persons: rows at most, those of the largest sum of scores.

    Returns:
        dict(keypoint float32 [M, T, V, 2], keypoint_score float32 [M, T, V], layout),
        in the units of the files; M is 0 if nobody is seen.

    Raises:
        DataError: the first place that is not as above, or the frames differ in joints.
    """
    when, numbers, places = [], [], []
    for name, data in frames:
        number = frame_number(name, "the name of a frame's file")
        need_fields(data, ("people",), name)
        for one, person in enumerate(list_of_objects(data["people"], f"{name}.people")):
            where = f"{name}.people[{one}]"
            need_fields(person, ("pose_keypoints_2d",), where)
            when.append(number)
            places.append(f"{where}.pose_keypoints_2d")
            numbers.append(person["pose_keypoints_2d"])
    first = numbers[0] if numbers else [0.0] * 75
    joints = len(first) // 3 if isinstance(first, list) and len(first) % 3 == 0 else 0
    if joints not in LAYOUTS:
        raise DataError(
            f"{places[0]} is no list of x, y, score of 25 joints (BODY_25) or 18 (COCO)"
        )
    found = stack_numbers(numbers, (3 * joints,), places.__getitem__)
    found = found.reshape(-1, joints, 3)
    known = [frame_number(name, "the name of a frame's file") for name, _ in frames]
    if len(set(known)) < len(known):
        raise DataError("two files have the same number of a frame in their names")
    positions, length = frame_positions([*known, *when])
    keypoint, score, _ = join_tracks(
        Observations(
            positions[len(known) :],
            found[..., :2],
            found[..., 2],
            [None] * len(found),
        ),
        length,
        max_persons,
    )
    return dict(keypoint=keypoint, keypoint_score=score, layout=LAYOUTS[joints])
