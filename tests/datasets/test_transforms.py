"""Alignment, augmentation, and resampling of 3D skeletons."""

import numpy as np
import pytest
from mmaction.datasets.transforms import PreNormalize3D
from mmaction.registry import TRANSFORMS

from errors import raises
from msg3d.datasets.transforms import AlignSkeleton3D, RandomRotate3D, ResampleFrames
from msg3d.errors import ConfigError
from msg3d.skeletons.rotation import rotation_about_axes


@pytest.fixture
def sample():
    rng = np.random.default_rng(0)
    keypoint = rng.normal(size=(1, 9, 20, 3)).astype(np.float32)
    keypoint[0, 4, 7] = 0  # absent joint
    return {"keypoint": keypoint, "total_frames": 9}


def test_align_equals_prenormalize_except_for_the_center(sample):
    expected = PreNormalize3D().transform(dict(sample))["keypoint"]
    actual = AlignSkeleton3D(center=1).transform(dict(sample))["keypoint"]
    assert actual.dtype == np.float32
    assert not actual[0, 4, 7].any()
    np.testing.assert_allclose(actual[0, 0, 1], 0, atol=1e-6)
    shift = np.delete((actual - expected).reshape(-1, 3), 4 * 20 + 7, axis=0)
    np.testing.assert_allclose(shift, np.broadcast_to(shift[0], shift.shape), atol=1e-5)


def test_align_of_25_joints_equals_prenormalize():
    keypoint = np.random.default_rng(0).normal(size=(2, 5, 25, 3))
    expected = PreNormalize3D().transform({"keypoint": keypoint, "total_frames": 5})
    actual = AlignSkeleton3D().transform({"keypoint": keypoint, "total_frames": 5})
    np.testing.assert_allclose(actual["keypoint"], expected["keypoint"], atol=1e-6)


def test_align_removes_rotation_about_the_spine():
    keypoint = np.random.default_rng(0).normal(size=(1, 4, 20, 3))
    keypoint[0, 0, :2] = [[0, 0, 1], [0, 0, 2]]  # spine along z
    keypoint[0, 0, [8, 4]] = [[0.5, 0, 0.5], [-0.5, 0, 0.5]]
    rotated = keypoint @ rotation_about_axes(0, 0, 40).T
    first, second = (
        AlignSkeleton3D().transform({"keypoint": k, "total_frames": 4})["keypoint"]
        for k in (keypoint, rotated)
    )
    np.testing.assert_allclose(first, second, atol=1e-5)


def test_all_zero_input_stays_zero():
    keypoint = np.zeros((1, 3, 20, 3), np.float32)
    result = AlignSkeleton3D().transform({"keypoint": keypoint, "total_frames": 3})
    assert not result["keypoint"].any()


def test_rotation_keeps_lengths_and_absent_joints(sample):
    np.random.seed(0)
    rotated = RandomRotate3D((30, 30, 180)).transform(dict(sample))["keypoint"]
    before = np.linalg.norm(sample["keypoint"], axis=-1)
    np.testing.assert_allclose(np.linalg.norm(rotated, axis=-1), before, rtol=1e-5)
    assert np.abs(rotated - sample["keypoint"]).max() > 0.1


def test_rotation_is_right_handed():
    quarter = rotation_about_axes(0, 0, 90)
    np.testing.assert_allclose(quarter @ [1, 0, 0], [0, 1, 0], atol=1e-12)
    quarter = rotation_about_axes(90, 0, 0)
    np.testing.assert_allclose(quarter @ [0, 1, 0], [0, 0, 1], atol=1e-12)


@pytest.mark.parametrize("frames", [1, 2, 9, 40, 200])
@pytest.mark.parametrize("clips", [1, 10])
def test_resampling_follows_a_straight_line(frames, clips):
    """A joint at x = t gives evenly spaced times within the crop."""
    line = np.arange(1, frames + 1, dtype=np.float32)[None, :, None, None]
    keypoint = np.broadcast_to(line, (1, frames, 2, 3)).copy()
    for test_mode in (True, False):
        transform = ResampleFrames(16, clips, crop=0.6, test_mode=test_mode)
        result = transform.transform({"keypoint": keypoint, "total_frames": frames})
        times = result["keypoint"][0, :, 0, 0].reshape(clips, 16)
        assert result["num_clips"] == clips
        assert times.min() >= 1
        assert times.max() <= frames
        steps = np.diff(times, axis=1)
        np.testing.assert_allclose(steps, steps[:, :1].repeat(15, 1), atol=1e-3)
        length = times[:, -1] - times[:, 0]
        assert (length >= 0.6 * (frames - 1) - 1e-3).all()
    if clips == 1:
        identity = ResampleFrames(frames, test_mode=True)
        result = identity.transform({"keypoint": keypoint, "total_frames": frames})
        np.testing.assert_allclose(result["keypoint"], keypoint)


def test_test_clips_are_deterministic(sample):
    clips = ResampleFrames(8, 10, test_mode=True)
    state = np.random.get_state()[1].copy()
    first = clips.transform(dict(sample))["keypoint"]
    np.testing.assert_array_equal(clips.transform(dict(sample))["keypoint"], first)
    np.testing.assert_array_equal(np.random.get_state()[1], state)


def test_absent_joints_are_not_interpolated(sample):
    result = ResampleFrames(33, test_mode=True).transform(dict(sample))["keypoint"]
    absent = ~result[0, :, 7].any(-1)
    np.testing.assert_array_equal(np.flatnonzero(absent), np.arange(13, 20))


def test_scores_are_resampled():
    score = np.arange(5, dtype=np.float32)[None, :, None].repeat(3, 2)
    sample = {"keypoint": np.ones((1, 5, 3, 2)), "keypoint_score": score}
    result = ResampleFrames(9, test_mode=True).transform(sample)
    assert result["keypoint_score"].shape == (1, 9, 3)
    assert result["keypoint_score"][0, -1, 0] == 4


def test_crop_out_of_range():
    with raises("option", ConfigError, field="crop"):
        TRANSFORMS.build({"type": "ResampleFrames", "clip_len": 8, "crop": 1.5})
