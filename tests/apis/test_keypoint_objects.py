"""Keypoints as tensors, array-like objects, and results of pose estimators."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from errors import raises
from msg3d.apis.input_files import read_sequences
from msg3d.apis.keypoint_input import Expected, to_sample
from samples import same

FILES = Path(__file__).parents[1] / "files_of_libraries"
COCO = Expected("coco", 2, None, 2)


class ArrayLike:
    """Object that NumPy can convert, such as a tensor of another library."""

    def __init__(self, array):
        self.array = array

    def __array__(self, dtype=None, copy=None):
        return self.array


@pytest.mark.parametrize(
    "convert",
    [
        torch.tensor,
        lambda array: torch.tensor(array, requires_grad=True),
        ArrayLike,
        lambda array: array.tolist(),
    ],
)
def test_array_like_objects(convert):
    array = np.random.default_rng(0).normal(size=(1, 4, 25, 3)).astype(np.float32)
    expected = Expected("nturgb+d", 3, None, 1)
    actual = to_sample({"keypoint": convert(array)}, expected)["keypoint"]
    np.testing.assert_array_equal(actual, array)


def ultralytics_results():
    """Objects with the attributes of `Results`, from a file that the library wrote."""
    for text in json.loads((FILES / "ultralytics.json").read_text()):
        persons = json.loads(text)
        joints = [
            [person["keypoints"][key] for key in ("x", "y", "visible")]
            for person in persons
        ]
        yield SimpleNamespace(
            orig_shape=(480, 640),
            keypoints=SimpleNamespace(data=torch.tensor(joints).transpose(1, 2)),
            boxes=SimpleNamespace(id=torch.tensor([p["track_id"] for p in persons])),
        )


def test_results_of_ultralytics_are_those_of_its_files():
    sample = to_sample(list(ultralytics_results()), COCO)
    (sequence,) = read_sequences(str(FILES / "ultralytics.json"), COCO)
    np.testing.assert_allclose(sample["keypoint"], sequence["keypoint"], rtol=1e-6)
    np.testing.assert_allclose(
        sample["keypoint_score"], sequence["keypoint_score"], rtol=1e-6
    )
    assert sample["img_shape"] == (480, 640)


def test_frame_without_a_person():
    results = list(ultralytics_results())
    results.insert(
        2, SimpleNamespace(orig_shape=(480, 640), keypoints=None, boxes=None)
    )
    sample = to_sample(results, COCO)
    assert sample["keypoint"].shape == (2, 5, 17, 2)
    assert not sample["keypoint"][:, 2].any()
    with raises("no-person"):
        to_sample(results[2:3], COCO)


def mediapipe_results():
    """Objects with the attributes of `PoseLandmarkerResult`."""
    for result in json.loads((FILES / "mediapipe_tasks.json").read_text()):
        yield SimpleNamespace(
            **{
                key: [
                    [SimpleNamespace(**mark) for mark in person]
                    for person in result[key]
                ]
                for key in ("pose_landmarks", "pose_world_landmarks")
            }
        )


@pytest.mark.parametrize("dimensions", [2, 3])
def test_results_of_mediapipe_are_those_of_its_files(dimensions):
    expected = Expected("mediapipe33", dimensions, None, 1)
    sample = to_sample(list(mediapipe_results()), expected)
    (sequence,) = read_sequences(str(FILES / "mediapipe_tasks.json"), expected)
    predicted = to_sample(sequence, expected)
    assert same(sample["keypoint"], predicted["keypoint"])
