"""Tests of the mapping from clips to frames, and of responses and scores over time."""

from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from tiny_task import CLASSES, JOINTS, samples, write_trained

import msg3d
from errors import raises
from msg3d import Recognizer
from msg3d.apis.keypoint_input import to_sample
from msg3d.apis.trained import TestPipeline
from msg3d.visualization.clip_pipeline import ClipPipeline, Clips
from msg3d.visualization.explainer import Explainer, scores_over_time

CONFIGS = [
    ("msg3d-24c_1xb16-joint-u32-20e_synthetic-xsub-keypoint-3d", 20, 1),
    ("msg3d_1xb16-bone-r40-60e_nw-ucla-xview-keypoint-3d", 20, 1),
    ("msg3d_8xb16-joint-u100-80e_ntu60-xsub-keypoint-3d", 25, 2),
]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """(config, checkpoint, annotation file)."""
    return write_trained(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def explainer(tiny):
    return Explainer(*tiny[:2], device="cpu")


def load_config(name):
    folder = Path(msg3d.__file__).parent / "configs" / "msg3d"
    return Config.fromfile(folder / f"{name}.py")


@pytest.mark.parametrize(("name", "joints", "persons"), CONFIGS)
def test_inputs_match_the_test_pipeline(name, joints, persons):
    pipeline, plain = (kind(load_config(name)) for kind in (ClipPipeline, TestPipeline))
    rng = np.random.default_rng(0)
    keypoint = rng.normal(size=(persons, 23, joints, 3)).astype(np.float32)
    keypoint[0, :4] = 0  # empty frames, which some pipelines drop
    keypoint[1:, :4] = 0
    clips = pipeline.clips(to_sample(keypoint, pipeline.expected))
    expected = plain(to_sample(keypoint, plain.expected))
    np.testing.assert_array_equal(clips.inputs, expected)
    assert clips.times.shape == (expected.shape[0], expected.shape[2])
    assert clips.times.min() >= 0
    assert clips.times.max() <= clips.sequence.shape[1] - 1


@pytest.mark.parametrize(("name", "joints"), [config[:2] for config in CONFIGS[:2]])
def test_times_match_the_position_of_a_moving_joint(name, joints):
    """The distance of a steadily moving joint from the center encodes the time."""
    cfg = load_config(name)
    dataset = cfg.test_dataloader.dataset
    dataset.pipeline = [
        step for step in dataset.pipeline if step["type"] != "SkeletonFeatures"
    ]
    pipeline = ClipPipeline(cfg)
    rng = np.random.default_rng(0)
    keypoint = np.repeat(rng.normal(size=(1, 1, joints, 3)), 37, axis=1)
    keypoint[0, :, 5, 1] += 0.25 * np.arange(37)
    sample = to_sample(keypoint.astype(np.float32), pipeline.expected)
    clips = pipeline.clips(sample)
    frames = np.arange(clips.sequence.shape[1])
    positions = clips.sequence[0, :, 5]  # monotonic in any coordinate system
    axis = np.abs(positions[-1] - positions[0]).argmax()
    sampled = clips.inputs[:, 0, :, 5, axis]
    order = np.argsort(positions[:, axis])
    times = np.interp(sampled, positions[order, axis], frames[order])
    np.testing.assert_allclose(times, clips.times, atol=2e-3)


def test_values_are_mapped_to_their_frames():
    """The clips sample frames 0, 2 (twice), and 5 of 7, and 2 of 3 persons."""
    values = np.arange(2 * 2 * 2 * 1, dtype=float).reshape(2, 2, 2, 1)
    clips = Clips(np.zeros((3, 7, 1, 3)), values, np.array([[0, 2], [2, 5]]))
    mapped = clips.on_sequence(values)
    # Person 0: 0 in frame 0, the mean of 1 and 4 in frame 2, and 5 in frame 5.
    expected = [0, 1.25, 2.5, 2.5 + 2.5 / 3, 2.5 + 5 / 3, 5, 5]
    np.testing.assert_allclose(mapped[0, :, 0], expected)
    np.testing.assert_allclose(mapped[1, [0, 2, 5], 0], [2, 4.5, 7])
    assert not mapped[2].any()


def test_response_is_the_norm_of_the_last_features(explainer):
    clips = explainer.clips(samples(1)[0])
    response = explainer.response(clips)
    assert response.shape == clips.sequence.shape[:3]
    assert response.min() == 0
    assert response.max() == 1
    with torch.no_grad():
        features = explainer.model.backbone(torch.from_numpy(clips.inputs)).numpy()
    size = np.sqrt((features**2).sum(2))[:, 0]  # (clips, T', V)
    # Frame t of 8 is at (t + 0.5) / 4 - 0.5 of the 2 frames of the features.
    weight = np.clip((np.arange(8) + 0.5) / 4 - 0.5, 0, 1)[:, None]
    frames = clips.sequence.shape[1]
    total, count = np.zeros((frames, JOINTS)), np.zeros((frames, 1))
    for times, (first, second) in zip(clips.times, size, strict=True):
        for time, value in zip(
            times, first * (1 - weight) + second * weight, strict=True
        ):
            total[time] += value
            count[time] += 1
    sampled = count[:, 0] > 0
    mean = total[sampled] / count[sampled]
    actual = response[0][sampled]
    # The response is rescaled, which preserves ratios of differences.
    scale = (mean.max() - mean.ravel()[0]) / (1 - actual.ravel()[0])
    inside = (actual > 0) & (actual < 1)
    expected = 1 - (mean.max() - mean) / scale
    np.testing.assert_allclose(actual[inside], expected[inside], atol=1e-4)
    assert inside.sum() > 20


def test_backbone_that_pools_joints_is_rejected(explainer, monkeypatch):
    clips = explainer.clips(samples(1)[0])
    pooled = torch.zeros(2, 1, 48, 2, 1)
    monkeypatch.setattr(explainer.model, "extract_feat", lambda x: (pooled, {}))
    with raises("config", field="backbone"):
        explainer.response(clips)


def test_scores_over_time_match_predictions_of_the_windows(tiny):
    recognizer = Recognizer(*tiny[:2], device="cpu")
    sample = samples(2, seed=4)[1]
    sample["keypoint"] = np.concatenate([sample["keypoint"]] * 3, 1)
    sample["keypoint"][:, 12:19] = 0
    sample["total_frames"] = frames = sample["keypoint"].shape[1]
    scores = scores_over_time(recognizer, sample, window=6, step=3)
    starts = range(0, frames - 5, 3)
    assert scores.frames.tolist() == [start + 2.5 for start in starts]
    assert scores.classes == ("still", "up", "down")
    for start, values in zip(starts, scores.values, strict=True):
        part = sample["keypoint"][:, start : start + 6]
        if part.any():
            expected = recognizer.predict(part).scores
            np.testing.assert_allclose(values, expected, atol=1e-6)
        else:
            assert np.isnan(values).all()
    assert np.isnan(scores.values).all(1).sum() == 1
    assert scores.best(CLASSES)[0] == 1


def test_scores_follow_the_frames_that_a_pipeline_keeps(tiny):
    recognizer = Recognizer(*tiny[:2], device="cpu")
    sample = samples(1)[0]
    sample["keypoint"][:, :3] = 0
    frames = sample["total_frames"]
    scores = scores_over_time(recognizer, sample, window=1, step=1)
    kept = scores.among(sample["keypoint"], frames - 3)
    assert kept.frames.tolist() == [0, 0, 0, *range(frames - 3)]
