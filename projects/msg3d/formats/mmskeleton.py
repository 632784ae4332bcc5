"""Reader for JSON files of mmskeleton (Yan et al., 2019), one per video.

    {"info": {"video_name": "a.mp4", "resolution": [width, height], "num_frame": 300,
      "num_keypoints": 17, "keypoint_channels": ["x", "y", "score"]},
     "annotations": [{"frame_index": 0, "id": 0, "person_id": null,
      "keypoints": [[x, y, score], ...]}],
     "category_id": 0}

`id` is the rank of a person in a frame, and `person_id` a track id. Files with 17 joints
have those of COCO, and files with 18 joints those of OpenPose.
"""

import numpy as np

from ..errors import DataError, SkipFile
from ..io.json_data import list_of_objects, need_fields, stack_numbers
from ..preprocessing.tracks import Observations
from .base import Format, ReadOptions, Sample, Source
from .frames import NO_PERSON, to_tracks

LAYOUTS = {17: "coco", 18: "openpose", 25: "openpose25"}
CHANNELS = ["x", "y", "score"]
MAX_FRAMES = 1_000_000


def _read(source: Source, options: ReadOptions) -> list[Sample]:
    info = source.json["info"]
    need_fields(info, ("num_frame", "num_keypoints", "keypoint_channels"), "info")
    joints, frames = info["num_keypoints"], info["num_frame"]
    if type(frames) is not int or not 0 < frames <= MAX_FRAMES:
        raise DataError(
            f"'num_frame' is {frames!r:.40}, expected 1 to {MAX_FRAMES}",
            kind="number",
            field="info",
        )
    if (
        type(joints) is not int
        or joints not in LAYOUTS
        or info["keypoint_channels"] != CHANNELS
    ):
        raise DataError(
            f"'info' has {joints!r:.40} joints with the channels "
            f"{info['keypoint_channels']!r:.80}, expected 17, 18, or 25 joints with "
            f"{CHANNELS}",
            kind="layout",
            field="info",
        )
    persons = list_of_objects(source.json["annotations"], "annotations")
    for index, person in enumerate(persons):
        need_fields(person, ("frame_index", "keypoints"), f"annotations[{index}]")
        number, identity = person["frame_index"], person.get("person_id")
        if identity is not None and (
            type(identity) is not int or not -(2**53) < identity < 2**53
        ):
            raise DataError(
                f"'person_id' is {identity!r:.40}, expected an integer",
                kind="number",
                field=f"annotations[{index}]",
            )
        if type(number) is not int or not 0 <= number < frames:
            raise DataError(
                f"'frame_index' is {number!r:.40}, expected 0 to {frames - 1}",
                kind="frame-numbers",
                field=f"annotations[{index}]",
            )
    if not persons:
        raise SkipFile(NO_PERSON)
    values = stack_numbers(
        [person["keypoints"] for person in persons],
        (joints, 3),
        lambda index: f"annotations[{index}].keypoints",
    )
    sequence = to_tracks(
        source.id,
        Observations(
            np.array([person["frame_index"] for person in persons]),
            values[..., :2],
            values[..., 2],
            [person.get("person_id") for person in persons],
        ),
        frames,
        options.max_persons,
    )
    sequence.update(layout=LAYOUTS[joints], unit=options.unit or "px")
    resolution = info.get("resolution")
    if (
        isinstance(resolution, list)
        and len(resolution) == 2
        and all(type(side) is int and 0 < side < 2**31 for side in resolution)
    ):
        sequence["img_shape"] = resolution[1], resolution[0]
    label = source.json.get("category_id")
    if type(label) is int and 0 <= label < 2**31:
        sequence["label"] = label
    return [sequence]


def _detect(source: Source) -> bool:
    data = source.json
    return isinstance(data, dict) and {"info", "annotations", "category_id"} <= set(
        data
    )


FORMAT = Format(
    name="mmskeleton",
    title="mmskeleton, a video",
    keeps="joints, scores, track ids, image size, label",
    suffixes=(".json",),
    detect=_detect,
    read=_read,
)
