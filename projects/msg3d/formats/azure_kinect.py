"""Reader for JSON files of Azure Kinect's body tracking.

The offline processor of Microsoft's samples writes one file per recording, in millimeters
with y down:

    {"frames": [{"frame_id": 0, "timestamp_usec": 66666, "num_bodies": 1,
      "bodies": [{"body_id": 1, "joint_positions": [[x, y, z], ...]}]}],
     "joint_names": ["PELVIS", ...]}
"""

import itertools
from typing import Any

import numpy as np

from ..errors import DataError, SkipFile
from ..io.json_data import list_of_objects, need_fields, stack_numbers
from ..preprocessing.tracks import Observations
from ..skeletons import skeleton
from .base import Format, ReadOptions, Sample, Source
from .frames import NO_PERSON, to_tracks

LAYOUT = "azure-kinect32"
JOINTS = len(skeleton(LAYOUT).joints)


def _read(source: Source, options: ReadOptions) -> list[Sample]:
    positions, identities, numbers, places = [], [], [], []
    frames = list_of_objects(source.json["frames"], "frames")
    for index, frame in enumerate(frames):
        need_fields(frame, ("bodies",), f"frames[{index}]")
        for body in list_of_objects(frame["bodies"], f"frames[{index}].bodies"):
            place = f"frames[{index}].bodies"
            need_fields(body, ("body_id", "joint_positions"), place)
            if type(body["body_id"]) is not int:
                raise DataError(
                    f"{place}: 'body_id' is {body['body_id']!r:.40}, expected an integer",
                    kind="number",
                    field=place,
                )
            positions.append(body["joint_positions"])
            identities.append(body["body_id"])
            numbers.append(index)
            places.append(f"{place}.joint_positions")
    if not positions:
        raise SkipFile(NO_PERSON)
    keypoint = stack_numbers(positions, (JOINTS, 3), places.__getitem__) / 1000
    times: list[Any] = [frame.get("timestamp_usec") for frame in frames]
    sequence = to_tracks(
        source.id,
        Observations(
            np.array(numbers),
            keypoint.astype(np.float32),
            np.ones(keypoint.shape[:2], np.float32),
            identities,
        ),
        len(frames),
        options.max_persons,
    )
    del sequence["keypoint_score"]
    sequence.update(layout=LAYOUT, unit="m", y_down=True)
    valid = all(type(time) is int and abs(time) < 2**53 for time in times)
    if valid and all(before < after for before, after in itertools.pairwise(times)):
        sequence["times"] = np.array(times) / 1e6
    return [sequence]


def _detect(source: Source) -> bool:
    data = source.json
    return isinstance(data, dict) and {"frames", "joint_names"} <= set(data)


FORMAT = Format(
    name="azure_kinect",
    title="Azure Kinect body tracking, a recording",
    keeps="joints in meters, body ids, times",
    suffixes=(".json",),
    detect=_detect,
    read=_read,
)
