"""The fast transforms give what MMAction2's give, bit for bit."""

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


def whole(keypoint):
    """Nobody is lost."""


def lost_joints(keypoint):
    keypoint[:, 1::3, 3:7] = 0


def lost_frames(keypoint):
    keypoint[0, 2:-1:4] = 0


def late_first_person(keypoint):
    keypoint[0, : keypoint.shape[1] // 3] = 0


def absent_last_person(keypoint):
    keypoint[-1] = 0


def absent_first_person(keypoint):
    keypoint[0] = 0


def as_long_as_each_other(keypoint):
    keypoint[0, :2] = keypoint[-1, -2:] = 0


def at_the_bound(keypoint):
    """Frames of which the largest coordinate is about what counts as zero."""
    largest = np.abs(keypoint[0, ::2]).max(axis=(1, 2), keepdims=True)
    keypoint[0, ::2] *= (
        np.linspace(0.5e-8, 1.5e-8, len(largest))[:, None, None] / largest
    )


def without_spine_and_shoulders(keypoint):
    keypoint[:, :, [0, 1, 4, 8]] = 0


def upright(keypoint):
    """Nothing is left to turn."""
    keypoint[:, :, [0, 1]] = [[0, 0, 1], [0, 0, 2]]
    keypoint[:, :, [4, 8]] = [[-1, 0, 1], [1, 0, 1]]


def upside_down(keypoint):
    keypoint[:, :, [0, 1]] = [[0, 0, 2], [0, 0, 1]]


def cancelling(keypoint):
    """Of sum zero, which MMAction2 takes for nothing at all."""
    keypoint[:] = 0
    keypoint[0, -1, 5, :2] = 1, -1


def nothing(keypoint):
    keypoint[:] = 0


SEEN = (
    whole,
    lost_joints,
    lost_frames,
    late_first_person,
    absent_last_person,
    absent_first_person,
    as_long_as_each_other,
    at_the_bound,
    cancelling,
    nothing,
)
TURNED = (without_spine_and_shoulders, upright, upside_down)  # of 3D joints


def sample(case, persons=2, frames=90, joints=25, channels=3, dtype=np.float32, seed=0):
    """Joints that wander three metres in front of the camera, and a case's faults."""
    rng = np.random.default_rng(seed)
    shape = (persons, frames, joints, channels)
    steps = rng.normal(scale=0.02, size=shape).cumsum(axis=1)
    pose = rng.normal(scale=0.4, size=(persons, 1, joints, channels))
    keypoint = pose + steps
    keypoint[..., -1] += 3
    case(keypoint)
    return {"keypoint": keypoint.astype(dtype), "total_frames": frames, "label": seed}


def run(transform, results, seed=0):
    """What the transform makes of a copy, and NumPy's next random number after it."""
    results = {
        key: value.copy() if isinstance(value, np.ndarray) else value
        for key, value in results.items()
    }
    np.random.seed(seed)
    return transform(results), np.random.random()


def assert_same(fast, theirs, results, seed=0):
    actual, next_number = run(fast, results, seed)
    expected, their_next_number = run(theirs, results, seed)
    assert next_number == their_next_number
    assert actual.keys() == expected.keys()
    for key in expected:
        np.testing.assert_array_equal(actual[key], expected[key], err_msg=key)
        assert getattr(actual[key], "dtype", None) == getattr(
            expected[key], "dtype", None
        )


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("persons", [1, 2])
@pytest.mark.parametrize("case", SEEN + TURNED)
def test_normalisation_is_equal(case, persons, dtype):
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
def test_normalisation_in_part_is_equal(kwargs, dtype):
    results = sample(lost_joints, dtype=dtype)
    assert_same(FastPreNormalize3D(**kwargs), PreNormalize3D(**kwargs), results)


def test_one_frame_without_its_number():
    results = sample(whole, frames=1)
    del results["total_frames"]
    assert_same(FastPreNormalize3D(), PreNormalize3D(), results)


def test_the_samples_own_array_stays():
    results = sample(lost_joints)
    before = results["keypoint"].copy()
    FastPreNormalize3D()(dict(results))
    np.testing.assert_array_equal(results["keypoint"], before)


def test_of_three_persons_the_one_seen_most_is_first():
    results = sample(whole, persons=3)
    keypoint = results["keypoint"]
    keypoint[0, :9], keypoint[2, 40:] = 0, 0
    actual = FastPreNormalize3D()(dict(results))["keypoint"]
    for position, persons in enumerate(([0, 1], [2, 1]), start=1):
        pair = dict(results, keypoint=keypoint[persons])
        expected = PreNormalize3D()(pair)["keypoint"]
        np.testing.assert_array_equal(actual[[0, position]], expected)


@pytest.mark.parametrize("persons", [1, 2])
@pytest.mark.parametrize("transform", [FastPreNormalize3D(), AlignSkeleton3D()])
def test_a_nearly_empty_sample_is_left_as_it_is(transform, persons):
    results = sample(nothing, persons)
    results["keypoint"][0, 3, 5] = 1e-9
    actual = transform(dict(results))
    assert actual["keypoint"].shape == results["keypoint"].shape
    assert actual["total_frames"] == results["total_frames"]
    np.testing.assert_array_equal(actual["keypoint"], results["keypoint"])


def test_turning_without_moving():
    results = sample(whole)
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
    theirs = UniformSampleFrames(100, **kwargs)
    for seed, case in enumerate(SEEN):
        results = sample(case, frames=frames, seed=seed)
        assert_same(fast, theirs, results, seed)
        del results["keypoint"]
        assert_same(fast, theirs, results, seed)


@pytest.mark.parametrize(
    "transform", [FastPreNormalize3D(), FastUniformSampleFrames(8), AlignSkeleton3D()]
)
def test_a_wrong_length_is_named(transform):
    with raises("total-frames", DataError, field="total_frames"):
        transform(dict(sample(whole), total_frames=91))


def pipelines(kind, part):
    """One of a config's pipelines, and the same of MMAction2's transforms only."""
    init_default_scope("mmaction")
    cfg = Config.fromfile(Path(msg3d.__file__).parent / NTU.format(kind))
    steps = cfg[f"{part}_pipeline"]
    theirs = [dict(step, type=step["type"].removeprefix("Fast")) for step in steps]
    assert steps != theirs
    return Compose(steps), Compose(theirs)


@pytest.mark.parametrize("part", ["train", "val", "test"])
@pytest.mark.parametrize(("kind", "dtype"), [("2d", "f2"), ("3d", "f2"), ("3d", "f4")])
def test_packed_samples_are_equal(kind, dtype, part):
    ours, theirs = pipelines(kind, part)
    joints, channels = (17, 2) if kind == "2d" else (25, 3)
    cases = SEEN if kind == "2d" else SEEN + TURNED
    for seed, case in enumerate(cases):
        for persons, frames in ((1, 80), (2, 133), (2, 260)):
            results = sample(case, persons, frames, joints, channels, dtype, seed)
            if kind == "2d":
                results["img_shape"] = (1080, 1920)
                results["keypoint_score"] = results["keypoint"][..., 0] / 4
            actual, next_number = run(ours, results, seed)
            expected, their_next_number = run(theirs, results, seed)
            assert next_number == their_next_number
            assert actual["inputs"].dtype == expected["inputs"].dtype == torch.float32
            assert torch.equal(actual["inputs"], expected["inputs"])
            actual, expected = actual["data_samples"], expected["data_samples"]
            assert actual.metainfo == expected.metainfo
            assert torch.equal(actual.gt_label, expected.gt_label)
