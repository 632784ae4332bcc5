"""Files written by other libraries, see `files_of_libraries/make_files.py`."""

import json
from pathlib import Path

import numpy as np
import pytest

from msg3d.apis.input_files import list_sources, read_sequences
from msg3d.apis.keypoint_input import Expected
from msg3d.formats.base import ReadOptions, Source, detect_format, read

FILES = Path(__file__).parents[1] / "files_of_libraries"
COCO = Expected("coco", 2, None, 2)


def test_text_files_of_ultralytics_are_those_of_its_json():
    (folder,) = list_sources(str(FILES / "yolo_text"), exclude="")
    options = ReadOptions(img_shape=(480, 640))
    (text,) = read_sequences(folder, COCO, options)
    (parsed,) = read_sequences(str(FILES / "ultralytics.json"), COCO, options)
    assert text["unit"] == "normalized"
    assert text["keypoint"].shape == parsed["keypoint"].shape == (2, 4, 17, 2)
    np.testing.assert_allclose(
        text["keypoint"] * [640, 480], parsed["keypoint"], atol=1e-2
    )
    np.testing.assert_allclose(
        text["keypoint_score"], parsed["keypoint_score"], atol=1e-4
    )


@pytest.mark.parametrize("dimensions", [2, 3])
def test_results_of_mediapipe_tasks(dimensions):
    expected = Expected("mediapipe33", dimensions, None, 1)
    (sequence,) = read_sequences(str(FILES / "mediapipe_tasks.json"), expected)
    content = json.loads((FILES / "mediapipe_tasks.json").read_text())
    key = "pose_landmarks" if dimensions == 2 else "pose_world_landmarks"
    assert sequence["keypoint"].shape == (1, 5, 33, dimensions)
    for frame, result in zip(sequence["keypoint"][0], content, strict=True):
        marks = result[key][0] if result[key] else [{"x": 0, "y": 0, "z": 0}] * 33
        values = [[mark[axis] for axis in "xyz"[:dimensions]] for mark in marks]
        np.testing.assert_allclose(frame, values, rtol=1e-6)


def test_pose_file():
    pose_format = pytest.importorskip("pose_format")
    source = Source(str(FILES / "mediapipe.pose"))
    assert detect_format(source).name == "pose_file"
    (sequence,) = read(source)
    pose = pose_format.Pose.read(source.content)
    body = pose.body.data[:, 0, 21:, :2].filled(0)
    np.testing.assert_array_equal(sequence["keypoint"][0], body)
    assert not sequence["keypoint"][0, 1, 9].any()
    assert sequence["layout"] == "mediapipe33"
    assert sequence["img_shape"] == (480, 640)
    assert sequence["fps"] == 25
