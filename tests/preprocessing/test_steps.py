"""Tests of `preprocessing.steps`: bit for bit equal to MMAction2's transforms."""

import pickle

import numpy as np
import pytest
from mmaction.registry import TRANSFORMS
from mmengine.registry import DefaultScope

from errors import raises
from msg3d.datasets.transforms import ConvertLayout, SelectPersons
from msg3d.errors import ConfigError, DataError
from msg3d.preprocessing.steps import STEPS

# Transforms of MMAction2 that exported networks require, and their arguments.
MMACTION = [
    ("FormatGCNInput", {}),
    ("FormatGCNInput", {"num_person": 1}),
    ("FormatGCNInput", {"num_person": 4, "mode": "loop"}),
    ("PadTo", {"length": 90}),
    ("PadTo", {"length": 90, "mode": "zero"}),
    ("PoseDecode", {}),
    ("PreNormalize2D", {}),
    ("PreNormalize2D", {"img_shape": (480, 640)}),
    ("PreNormalize3D", {}),
    ("PreNormalize3D", {"align_spine": False, "xaxis": [5, 6]}),
    ("PreNormalize3D", {"zaxis": [3, 2], "align_shoulder": False}),
    ("UniformSampleFrames", {"clip_len": 20}),
    ("UniformSampleFrames", {"clip_len": 20, "num_clips": 3}),
    ("UniformSampleFrames", {"clip_len": 20, "test_mode": True}),
    (
        "UniformSampleFrames",
        {"clip_len": 20, "num_clips": 10, "test_mode": True, "seed": 3},
    ),
    ("UniformSampleFrames", {"clip_len": 100, "num_clips": 10, "test_mode": True}),
]


def build(name, arguments):
    with DefaultScope.overwrite_default_scope("mmaction"):
        transform = TRANSFORMS.build(dict(type=name, **arguments))
    assert type(transform).__module__.startswith("mmaction.")
    return transform


def samples(channels):
    """Random walks with absent joints, frames, and persons."""
    rng = np.random.default_rng(0)
    for persons, frames in ((1, 1), (1, 7), (2, 30), (2, 90)):
        for dtype in (np.float16, np.float32, np.float64):
            keypoint = rng.normal(size=(persons, frames, 25, channels)).cumsum(1)
            keypoint[-1, frames // 3 : frames // 2] = 0
            keypoint[0, frames // 2 :, 2:5] = 0
            sample = {"keypoint": keypoint.astype(dtype), "total_frames": frames}
            yield sample
            if channels == 2:
                score = rng.random(keypoint.shape[:3]).astype(dtype)
                clip = {"frame_inds": np.arange(frames)[::-1], "start_index": 0}
                yield dict(sample, keypoint_score=score, **clip, img_shape=(70, 80))


def copy(sample):
    return pickle.loads(pickle.dumps(sample))


@pytest.mark.parametrize(("name", "arguments"), MMACTION)
def test_steps_are_equal_to_mmaction(name, arguments):
    transform = build(name, arguments)
    step = STEPS[name.replace("PreNormalize3D", "FastPreNormalize3D")](**arguments)
    for number, sample in enumerate(samples(3 if name == "PreNormalize3D" else 2)):
        np.random.seed(number)
        expected = transform(copy(sample))
        np.random.seed(number)
        actual = step(copy(sample))
        assert actual.keys() == expected.keys()
        for key, value in expected.items():
            np.testing.assert_array_equal(actual[key], value, key)
            assert getattr(actual[key], "dtype", 0) == getattr(value, "dtype", 0)


def test_format_gcn_input_splits_clips_like_mmaction():
    keypoint = np.random.default_rng(0).normal(size=(1, 30, 25, 3))
    sample = {"keypoint": keypoint, "num_clips": 3}
    expected = build("FormatGCNInput", {})(copy(sample))["keypoint"]
    actual = STEPS["FormatGCNInput"]()(copy(sample))["keypoint"]
    assert actual.shape == (3, 2, 10, 25, 3)
    assert actual.flags.c_contiguous
    np.testing.assert_array_equal(actual, expected)


def test_test_clips_preserve_the_global_random_state():
    step = STEPS["UniformSampleFrames"](20, num_clips=3, test_mode=True)
    np.random.seed(0)
    expected = np.random.random()
    np.random.seed(0)
    step({"keypoint": np.ones((1, 30, 25, 3)), "total_frames": 30})
    assert np.random.random() == expected


@pytest.mark.parametrize(
    ("name", "arguments", "field"),
    [
        ("AlignView", {"center": 1}, "zaxis"),
        ("FormatGCNInput", {"mode": "copy"}, "mode"),
        ("PadTo", {"length": 9, "mode": "copy"}, "mode"),
        ("ResampleFrames", {"clip_len": 9, "crop": 0}, "crop"),
        ("SelectPersons", {"num_person": 0}, "num_person"),
        ("SelectPersons", {"by": "age"}, "by"),
        ("SkeletonFeatures", {"layout": "coco", "feats": ["x"]}, "feats"),
    ],
)
def test_invalid_arguments_are_rejected(name, arguments, field):
    with raises("option", ConfigError, field=field):
        STEPS[name](**arguments)


@pytest.mark.parametrize("name", ["FastUniformSampleFrames", "PadTo"])
def test_wrong_length_is_rejected(name):
    step = STEPS[name](60)
    with raises("total-frames", DataError, sample="wave", field="total_frames"):
        step(
            {"keypoint": np.ones((1, 9, 5, 3)), "total_frames": 8, "frame_dir": "wave"}
        )


def test_repr_of_registered_transforms():
    transform = pickle.loads(pickle.dumps(SelectPersons(3)))
    assert repr(transform) == "SelectPersons(num_person=3, by='energy')"
    assert transform.num_person == 3
    transform = ConvertLayout("coco", target="openpose")
    expected = "ConvertLayout(source='coco', target='openpose', missing='error')"
    assert repr(transform) == expected
