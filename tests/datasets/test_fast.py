"""Fast transforms equal those of MMAction2, bit for bit."""

from pathlib import Path

import numpy as np
import pytest
import torch
from mmaction.datasets.transforms import PreNormalize3D, UniformSampleFrames
from mmengine.config import Config
from mmengine.dataset import Compose
from mmengine.registry import init_default_scope

import msg3d
from errors import raises
from msg3d.datasets.transforms import (
    AlignSkeleton3D,
    FastPreNormalize3D,
    FastUniformSampleFrames,
)
from msg3d.errors import DataError

NTU = "configs/msg3d/msg3d_8xb16-joint-u100-80e_ntu60-xsub-keypoint-{}.py"


def complete(keypoint):
    """All joints are present."""


def absent_joints(keypoint):
    keypoint[:, 1::3, 3:7] = 0


def absent_frames(keypoint):
    keypoint[0, 2:-1:4] = 0


def late_first_person(keypoint):
    keypoint[0, : keypoint.shape[1] // 3] = 0


def absent_last_person(keypoint):
    keypoint[-1] = 0


def absent_first_person(keypoint):
    keypoint[0] = 0


def equally_long_persons(keypoint):
    keypoint[0, :2] = keypoint[-1, -2:] = 0


def near_threshold(keypoint):
    """Scale frames so that the largest coordinate is close to the zero threshold."""
    largest = np.abs(keypoint[0, ::2]).max(axis=(1, 2), keepdims=True)
    keypoint[0, ::2] *= (
        np.linspace(0.5e-8, 1.5e-8, len(largest))[:, None, None] / largest
    )


def without_spine_and_shoulders(keypoint):
    keypoint[:, :, [0, 1, 4, 8]] = 0


def upright(keypoint):
    """No rotation is necessary."""
    keypoint[:, :, [0, 1]] = [[0, 0, 1], [0, 0, 2]]
    keypoint[:, :, [4, 8]] = [[-1, 0, 1], [1, 0, 1]]


def upside_down(keypoint):
    keypoint[:, :, [0, 1]] = [[0, 0, 2], [0, 0, 1]]


def zero_sum(keypoint):
    """Coordinates with sum zero, which MMAction2 treats as absent."""
    keypoint[:] = 0
    keypoint[0, -1, 5, :2] = 1, -1


def empty(keypoint):
    keypoint[:] = 0


CASES = (
    complete,
    absent_joints,
    absent_frames,
    late_first_person,
    absent_last_person,
    absent_first_person,
    equally_long_persons,
    near_threshold,
    zero_sum,
    empty,
)
CASES_3D = (without_spine_and_shoulders, upright, upside_down)


def sample(case, persons=2, frames=90, joints=25, channels=3, dtype=np.float32, seed=0):
    """Return joints that move 3 m in front of the camera, with the changes of a case."""
    rng = np.random.default_rng(seed)
    shape = (persons, frames, joints, channels)
    steps = rng.normal(scale=0.02, size=shape).cumsum(axis=1)
    pose = rng.normal(scale=0.4, size=(persons, 1, joints, channels))
    keypoint = pose + steps
    keypoint[..., -1] += 3
    case(keypoint)
    return {"keypoint": keypoint.astype(dtype), "total_frames": frames, "label": seed}


def run(transform, results, seed=0):
    """Return the transformed copy of a sample, and the next random number of NumPy."""
    results = {
        key: value.copy() if isinstance(value, np.ndarray) else value
        for key, value in results.items()
    }
    np.random.seed(seed)
    return transform(results), np.random.random()


def assert_same(fast, reference, results, seed=0):
    actual, next_number = run(fast, results, seed)
    expected, expected_next_number = run(reference, results, seed)
    assert next_number == expected_next_number
    assert actual.keys() == expected.keys()
    for key in expected:
        np.testing.assert_array_equal(actual[key], expected[key], err_msg=key)
        assert getattr(actual[key], "dtype", None) == getattr(
            expected[key], "dtype", None
        )


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("persons", [1, 2])
@pytest.mark.parametrize("case", CASES + CASES_3D)
def test_normalization_is_equal(case, persons, dtype):
    for seed, (frames, joints) in enumerate([(80, 25), (131, 25), (7, 20), (300, 25)]):
        results = sample(case, persons, frames, joints, dtype=dtype, seed=seed)
        assert_same(FastPreNormalize3D(), PreNormalize3D(), results)


@pytest.mark.parametrize(
    "kwargs",
    [
        {"align_spine": False},
        {"align_shoulder": False},
        {"align_spine": False, "align_shoulder": False},
        {"zaxis": [3, 2], "xaxis": [5, 6]},
    ],
)
@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_partial_normalization_is_equal(kwargs, dtype):
    results = sample(absent_joints, dtype=dtype)
    assert_same(FastPreNormalize3D(**kwargs), PreNormalize3D(**kwargs), results)


def test_one_frame_without_total_frames():
    results = sample(complete, frames=1)
    del results["total_frames"]
    assert_same(FastPreNormalize3D(), PreNormalize3D(), results)


def test_input_is_not_modified():
    results = sample(absent_joints)
    before = results["keypoint"].copy()
    FastPreNormalize3D()(dict(results))
    np.testing.assert_array_equal(results["keypoint"], before)


def test_most_present_of_three_persons_comes_first():
    results = sample(complete, persons=3)
    keypoint = results["keypoint"]
    keypoint[0, :9], keypoint[2, 40:] = 0, 0
    actual = FastPreNormalize3D()(dict(results))["keypoint"]
    for position, persons in enumerate(([0, 1], [2, 1]), start=1):
        pair = dict(results, keypoint=keypoint[persons])
        expected = PreNormalize3D()(pair)["keypoint"]
        np.testing.assert_array_equal(actual[[0, position]], expected)


@pytest.mark.parametrize("persons", [1, 2])
@pytest.mark.parametrize("transform", [FastPreNormalize3D(), AlignSkeleton3D()])
def test_nearly_empty_sample_is_unchanged(transform, persons):
    results = sample(empty, persons)
    results["keypoint"][0, 3, 5] = 1e-9
    actual = transform(dict(results))
    assert actual["keypoint"].shape == results["keypoint"].shape
    assert actual["total_frames"] == results["total_frames"]
    np.testing.assert_array_equal(actual["keypoint"], results["keypoint"])


def test_rotation_without_translation():
    results = sample(complete)
    results["keypoint"] -= results["keypoint"][0, 0, 1]
    results["keypoint"][0, 0, 1] = 0
    expected = FastPreNormalize3D()(dict(results))
    actual = FastPreNormalize3D(align_center=False)(dict(results))
    assert not expected.pop("body_center").any()
    np.testing.assert_equal(actual, expected)


@pytest.mark.parametrize("frames", [1, 9, 60, 99, 100, 101, 150, 199, 200, 300])
@pytest.mark.parametrize(
    "kwargs",
    [{}, {"test_mode": True}, {"num_clips": 10, "test_mode": True}],
    ids=["train", "val", "test"],
)
def test_sampled_frames_are_equal(kwargs, frames):
    fast = FastUniformSampleFrames(100, **kwargs)
    reference = UniformSampleFrames(100, **kwargs)
    for seed, case in enumerate(CASES):
        results = sample(case, frames=frames, seed=seed)
        assert_same(fast, reference, results, seed)
        del results["keypoint"]
        assert_same(fast, reference, results, seed)


@pytest.mark.parametrize(
    "transform", [FastPreNormalize3D(), FastUniformSampleFrames(8), AlignSkeleton3D()]
)
def test_wrong_total_frames(transform):
    with raises("total-frames", DataError, field="total_frames"):
        transform(dict(sample(complete), total_frames=91))


def pipelines(kind, part):
    """Return a pipeline of a config, with our transforms and with MMAction2's."""
    init_default_scope("mmaction")
    cfg = Config.fromfile(Path(msg3d.__file__).parent / NTU.format(kind))
    steps = cfg[f"{part}_pipeline"]
    reference = [dict(step, type=step["type"].removeprefix("Fast")) for step in steps]
    assert steps != reference
    return Compose(steps), Compose(reference)


@pytest.mark.parametrize("part", ["train", "val", "test"])
@pytest.mark.parametrize(("kind", "dtype"), [("2d", "f2"), ("3d", "f2"), ("3d", "f4")])
def test_packed_samples_are_equal(kind, dtype, part):
    pipeline, reference = pipelines(kind, part)
    joints, channels = (17, 2) if kind == "2d" else (25, 3)
    cases = CASES if kind == "2d" else CASES + CASES_3D
    for seed, case in enumerate(cases):
        for persons, frames in ((1, 80), (2, 133), (2, 260)):
            results = sample(case, persons, frames, joints, channels, dtype, seed)
            if kind == "2d":
                results["img_shape"] = (1080, 1920)
                results["keypoint_score"] = results["keypoint"][..., 0] / 4
            actual, next_number = run(pipeline, results, seed)
            expected, expected_next_number = run(reference, results, seed)
            assert next_number == expected_next_number
            assert actual["inputs"].dtype == expected["inputs"].dtype == torch.float32
            assert torch.equal(actual["inputs"], expected["inputs"])
            actual, expected = actual["data_samples"], expected["data_samples"]
            assert actual.metainfo == expected.metainfo
            assert torch.equal(actual.gt_label, expected.gt_label)
