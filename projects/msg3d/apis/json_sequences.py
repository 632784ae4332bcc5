"""JSON of keypoints as sequences: who wrote a file, its content tells.

The readers are those of the converters of `tools/data`; besides them there are
keypoints as they are, `{"keypoint": [], "keypoint_score": [], "img_shape": [H, W]}`
or the bare list, [M, T, V, C] or [T, V, C], and frames of OpenPose.
"""

import os
from pathlib import Path
from typing import Any

import numpy as np

from ..converters import coco_json, kinetics, mediapipe
from ..converters.parse_files import (
    Parsed,
)
from ..errors import DataError, SkipFile
from ..formats.sequence_arrays import Sequence
from ..formats.sequence_arrays import to_sample as without_nan
from ..io.json_data import read_json
from ..skeletons import skeleton
from .keypoint_input import Expected, Layout
from .openpose_frames import is_openpose_frame, join_openpose
from .sources import Reading

ONE_FRAME = "is one frame of a video: name the folder of all its frames"


def read_json_sequence(path: str, expected: Expected, reading: Reading) -> dict:
    """The sequence of a JSON file, whatever wrote it.

    Args:
        path: the file.
        expected: by the network.
        reading: what the file does not say.

    Returns:
        dict(keypoint, keypoint_score, layout, unit, img_shape, notes), the last five
        where known.

    Raises:
        DataError, SkipFile: as the converters' readers.
    """
    content = Path(path).read_bytes()
    data = read_json(content)
    first = _first_leaf(data)
    if is_openpose_frame(data):
        raise DataError(ONE_FRAME)
    if isinstance(data, dict) and "keypoint" in data:
        return _plain(data, expected, reading)
    if isinstance(first, (int, float)):
        return _plain(dict(keypoint=data), expected, reading)
    if isinstance(data, dict) and {"data", "label"} <= set(data):
        (found,) = kinetics.parse_clip(path, content, "track", reading.max_persons)
        return dict(found, layout="openpose")
    landmarks = {"x", "landmarks", "pose_landmarks", "pose_world_landmarks"}
    if isinstance(data, dict):
        marked = "frames" in data
    else:
        marked = isinstance(first, dict) and landmarks & set(first)
    if marked:
        return read_mediapipe(path, expected, reading)
    found = _coco(path, content, reading)
    if "poses" in found:
        raise DataError(ONE_FRAME)
    return dict(found, layout="coco")


def read_mediapipe(path: str, expected: Expected, reading: Reading) -> dict:
    """MediaPipe's landmarks, JSON or csv: of the world for networks on 3D."""
    content = Path(path).read_bytes()
    world = expected.dimensions != 2
    (found,) = mediapipe.parse_video(
        path, content, "world" if world else "image", reading.max_persons
    )
    return dict(found, layout="mediapipe33", unit="m" if world else "normalized")


def _coco(path: str, content: bytes, reading: Reading) -> dict:
    normalized = reading.unit == "normalized"
    (found,) = coco_json.parse_video(
        path, content, None, reading.max_persons, normalized
    )
    return found


def join_frames(folder: str, reading: Reading) -> dict:
    """The sequence of a folder of JSON files of a frame each; else as above."""
    names = sorted(one for one in os.listdir(folder) if one.lower().endswith(".json"))
    contents = [Path(folder, name).read_bytes() for name in names]
    loaded = [read_json(content) for content in contents]
    if is_openpose_frame(loaded[0]):
        return join_openpose(list(zip(names, loaded)), reading.max_persons)
    frames = [
        _coco(f"{Path(folder).name}/{name}", content, reading)
        for name, content in zip(names, contents)
    ]
    parsed = coco_json.join_frames(Parsed(frames, [], {}, []), reading.max_persons)
    if parsed.refused:
        raise DataError(parsed.refused[0]["why"])
    if not parsed.samples:
        raise SkipFile(coco_json.NOBODY)
    return dict(parsed.samples[0], layout="coco")


def _plain(data: dict, expected: Expected, reading: Reading) -> dict:
    """`{"keypoint": [...], "keypoint_score": [...]}`, null or NaN for the missing."""
    layout = data.get("layout") or reading.layout or expected.layout
    joints = len(skeleton(layout).joints)
    keypoint = _array(data["keypoint"], "keypoint")
    scores = data.get("keypoint_score")
    channels = keypoint.shape[-1] if keypoint.ndim in (3, 4) else 0
    if channels not in (2, 3) or keypoint.shape[-2] != joints or 0 in keypoint.shape:
        raise DataError(
            f"keypoint has shape {keypoint.shape}, expected [M, T, {joints}, C] or [T, "
            f"{joints}, C] with C=2 or 3"
        )
    keypoint = keypoint.reshape(-1, *keypoint.shape[-3:])
    if scores is not None:
        scores = _array(scores, "keypoint_score")
        if scores.size != keypoint[..., 0].size:
            raise DataError(
                f"keypoint_score has shape {scores.shape}, expected "
                f"{keypoint.shape[:3]}, one a joint"
            )
        scores = scores.reshape(keypoint.shape[:3])
    if expected.dimensions == 2 and channels == 3 and scores is None:
        keypoint, scores, channels = keypoint[..., :2], keypoint[..., 2], 2
    found = of_arrays(Sequence(keypoint, scores), layout, channels)
    said = {key: data[key] for key in ("img_shape", "unit") if data.get(key)}
    return dict(found, **said)


def of_arrays(sequence: Sequence, layout: Layout, channels: int) -> dict:
    """Zero where the arrays have NaN; the size of the image is not known here."""
    units = "pixels" if channels == 2 else "unscaled"
    found = without_nan(sequence, skeleton(layout).joints, units, img_shape=(1, 1))
    found.pop("img_shape", None)
    return dict(found, layout=layout)


def _array(values: Any, name: str) -> np.ndarray:
    try:
        return np.array(values, dtype=np.float64)
    except (ValueError, TypeError, OverflowError) as error:
        raise DataError(f"{name} is no regular list of numbers ({error})") from error


def _first_leaf(data: Any) -> Any:
    """The first thing in lists of lists that is neither a list nor null."""
    stack = [data]
    while stack:
        one = stack.pop()
        if isinstance(one, list):
            stack.extend(reversed(one))
        elif one is not None and one != {}:
            return one
    return None
