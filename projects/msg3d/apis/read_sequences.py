"""Files of any known kind as sequences for a Recognizer.

What a file is, its suffix and its content say. The readers are those of the converters
of `tools/data`, which make annotation files for training.
"""

import os
from pathlib import Path

from ..annotations.check import id_faults, id_field, samples_of
from ..errors import DataError, SkipFile
from ..formats.npy_sequence import read_npy
from ..skeletons import SKELETONS, skeleton
from ..stores.packing import load_any
from .json_sequences import join_frames, of_arrays, read_json_sequence, read_mediapipe
from .keypoint_input import (
    Expected,
)
from .pose_video import SUFFIXES as VIDEOS
from .pose_video import read_video
from .sources import SUFFIXES, Reading, is_store


def read_sequences(path: str, expected: Expected, reading: Reading) -> list[dict]:
    """The sequences of a source.

    Args:
        path: one of `list_sources`.
        expected: by the network.
        reading: what the file does not say.

    Returns:
        Dictionaries for `Recognizer.predict`, with `frame_dir`; `notes` says what was
        made of the file. They are not checked yet.

    Raises:
        DataError: the file is not what it should be, and where.
    """
    suffix = Path(path).suffix.lower()
    try:
        if suffix == ".pkl" or is_store(path):
            return _annotations(path, reading)
        elif os.path.isdir(path):
            found = join_frames(path, reading)
        elif suffix in VIDEOS:
            found = _video(path, reading)
        elif suffix == ".npy":
            found = _npy(path, expected, reading)
        elif suffix == ".json":
            found = read_json_sequence(path, expected, reading)
        elif suffix == ".csv":
            found = read_mediapipe(path, expected, reading)
        else:
            raise DataError(f"is of no known kind, expected {', '.join(SUFFIXES)}")
    except DataError as error:
        raise error if path in error.message else error.at(file=path)
    except (ValueError, SkipFile) as error:  # an unknown layout, say
        raise DataError(str(error)).at(file=path) from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error
    return [_completed(found, path, reading)]


def _completed(sequence: dict, path: str, reading: Reading) -> dict:
    """With name and what `reading` says, without what is not for recognisers."""
    keys = ("keypoint", "keypoint_score", "img_shape", "layout", "unit", "notes")
    kept = {key: sequence[key] for key in keys if sequence.get(key) is not None}
    if not len(kept["keypoint"]):
        raise DataError(f"{path}: nobody is seen in any frame: leave it out")
    kept.setdefault("layout", reading.layout)
    kept.setdefault("unit", reading.unit)
    kept.setdefault("img_shape", reading.img_shape)
    return dict(kept, frame_dir=Path(path).name)


def _annotations(path: str, reading: Reading) -> list[dict]:
    data = load_any(path)
    samples, meta = samples_of(data, path), {}
    if not samples:
        raise DataError(f"{path}: holds no samples")
    key = id_field(samples)
    for fault in id_faults(samples, key):
        raise DataError(f"{path}: {fault}")
    if isinstance(data, dict) and isinstance(data.get("meta"), dict):
        meta = data["meta"]
    if reading.split is not None:
        splits = data.get("split", {}) if isinstance(data, dict) else {}
        if reading.split not in splits:
            raise DataError(
                f"{path}: has no split {reading.split!r}, expected one of "
                f"{list(splits)}"
            )
        wanted = set(splits[reading.split])
        samples = [one for one in samples if one[key] in wanted]
    named = meta.get("layout")
    layout = reading.layout or (named if named in list(SKELETONS) else None)
    return [
        {
            **dict(img_shape=reading.img_shape),
            **dict(sample, layout=layout, unit=reading.unit, frame_dir=sample[key]),
        }
        for sample in samples
    ]


def _npy(path: str, expected: Expected, reading: Reading) -> dict:
    content = Path(path).read_bytes()
    layout = reading.layout or expected.layout
    kinds = [expected.dimensions] if expected.dimensions else [3, 2]
    for channels in kinds:
        try:
            sequence = read_npy(content, len(skeleton(layout).joints), channels)
            return of_arrays(sequence, layout, channels)
        except DataError:
            if channels == kinds[-1]:
                raise


def _video(path: str, reading: Reading) -> dict:
    if reading.pose is None:
        raise DataError(
            "is a video, and no pose estimator is given: give --pose-model MODEL.onnx, "
            "or keypoints in place of the video"
        )
    return dict(read_video(path, reading.pose, reading.max_persons), unit="px")
