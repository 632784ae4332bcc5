"""Clips find back to their frames; responses and scores are the network's own."""

from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from tiny_task import CLASSES, JOINTS, learned, samples

import msg3d
from errors import raises
from msg3d import Recognizer
from msg3d.apis.keypoint_input import to_sample
from msg3d.apis.trained import TestPipeline
from msg3d.visualization.clip_pipeline import ClipPipeline, Clips
from msg3d.visualization.explainer import Explainer, scores_over_time

RECIPES = [
    ("msg3d-24c_1xb16-joint-u32-20e_synthetic-xsub-keypoint-3d", 20, 1),
    ("msg3d_1xb16-bone-r40-60e_nw-ucla-xview-keypoint-3d", 20, 1),
    ("msg3d_8xb16-joint-u100-80e_ntu60-xsub-keypoint-3d", 25, 2),
]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """(config, checkpoint, annotation file)."""
    return learned(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def explainer(tiny):
    return Explainer(*tiny[:2], device="cpu")


def recipe(name):
    folder = Path(msg3d.__file__).parent / "configs" / "msg3d"
    return Config.fromfile(folder / f"{name}.py")


@pytest.mark.parametrize(("name", "joints", "persons"), RECIPES)
def test_inputs_are_those_of_the_test(name, joints, persons):
    pipeline, plain = (kind(recipe(name)) for kind in (ClipPipeline, TestPipeline))
    rng = np.random.default_rng(0)
    keypoint = rng.normal(size=(persons, 23, joints, 3)).astype(np.float32)
    keypoint[0, :4] = 0  # frames without anybody that some recipes leave out
    keypoint[1:, :4] = 0
    clips = pipeline.clips(to_sample(keypoint, pipeline.expected))
    expected = plain(to_sample(keypoint, plain.expected))
    np.testing.assert_array_equal(clips.inputs, expected)
    assert clips.times.shape == (expected.shape[0], expected.shape[2])
    assert clips.times.min() >= 0
    assert clips.times.max() <= clips.sequence.shape[1] - 1


@pytest.mark.parametrize(("name", "joints"), [(one[0], one[1]) for one in RECIPES[:2]])
def test_times_are_where_a_hand_is(name, joints):
    """A joint that goes steadily away from the centre tells the time of each frame."""
    cfg = recipe(name)
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
    place = clips.sequence[0, :, 5]  # steady in whatever coordinates
    axis = np.abs(place[-1] - place[0]).argmax()
    shown = clips.inputs[:, 0, :, 5, axis]
    order = np.argsort(place[:, axis])
    times = np.interp(shown, place[order, axis], frames[order])
    np.testing.assert_allclose(times, clips.times, atol=2e-3)


def test_values_return_to_their_frames():
    """Frames 0, 2 and 5 of 7 are shown, 2 twice; two persons of three are seen."""
    values = np.arange(2 * 2 * 2 * 1, dtype=float).reshape(2, 2, 2, 1)
    clips = Clips(np.zeros((3, 7, 1, 3)), values, np.array([[0, 2], [2, 5]]))
    found = clips.on_sequence(values)
    # Person 0: frame 0 has 0, frame 2 the mean of 1 and 4, frame 5 has 5.
    expected = [0, 1.25, 2.5, 2.5 + 2.5 / 3, 2.5 + 5 / 3, 5, 5]
    np.testing.assert_allclose(found[0, :, 0], expected)
    np.testing.assert_allclose(found[1, [0, 2, 5], 0], [2, 4.5, 7])
    assert not found[2].any()


def test_response_is_the_magnitude_of_the_last_features(explainer):
    clips = explainer.clips(samples(1)[0])
    found = explainer.response(clips)
    assert found.shape == clips.sequence.shape[:3]
    assert found.min() == 0
    assert found.max() == 1
    with torch.no_grad():
        features = explainer.model.backbone(torch.from_numpy(clips.inputs)).numpy()
    size = np.sqrt((features**2).sum(2))[:, 0]  # (clips, T', V)
    # Frame t of 8 lies at (t + 0.5) / 4 - 0.5 of the 2 frames of the features.
    place = np.clip((np.arange(8) + 0.5) / 4 - 0.5, 0, 1)[:, None]
    frames = clips.sequence.shape[1]
    total, count = np.zeros((frames, JOINTS)), np.zeros((frames, 1))
    for times, (first, second) in zip(clips.times, size, strict=True):
        for time, value in zip(
            times, first * (1 - place) + second * place, strict=True
        ):
            total[time] += value
            count[time] += 1
    shown = count[:, 0] > 0
    mean = total[shown] / count[shown]
    # `found` is stretched; order and ratios of differences stay.
    scale = (mean.max() - mean.ravel()[0]) / (1 - found[0][shown].ravel()[0])
    inside = (found[0][shown] > 0) & (found[0][shown] < 1)
    expected = 1 - (mean.max() - mean) / scale
    np.testing.assert_allclose(found[0][shown][inside], expected[inside], atol=1e-4)
    assert inside.sum() > 20


def test_backbone_that_joins_joints_is_refused(explainer, monkeypatch):
    clips = explainer.clips(samples(1)[0])
    joined = torch.zeros(2, 1, 48, 2, 1)
    monkeypatch.setattr(explainer.model, "extract_feat", lambda x: (joined, {}))
    with raises("config", field="backbone"):
        explainer.response(clips)


def test_scores_over_time_are_those_of_the_windows(tiny):
    recognizer = Recognizer(*tiny[:2], device="cpu")
    sample = samples(2, seed=4)[1]
    sample["keypoint"] = np.concatenate([sample["keypoint"]] * 3, 1)
    sample["keypoint"][:, 12:19] = 0
    sample["total_frames"] = frames = sample["keypoint"].shape[1]
    found = scores_over_time(recognizer, sample, window=6, step=3)
    starts = range(0, frames - 5, 3)
    assert found.frames.tolist() == [start + 2.5 for start in starts]
    assert found.classes == ("still", "up", "down")
    for start, values in zip(starts, found.values, strict=True):
        part = sample["keypoint"][:, start : start + 6]
        if part.any():
            expected = recognizer.predict(part).scores
            np.testing.assert_allclose(values, expected, atol=1e-6)
        else:
            assert np.isnan(values).all()
    assert np.isnan(found.values).all(1).sum() == 1
    assert found.best(CLASSES)[0] == 1


def test_scores_find_the_frames_that_a_pipeline_kept(tiny):
    recognizer = Recognizer(*tiny[:2], device="cpu")
    sample = samples(1)[0]
    sample["keypoint"][:, :3] = 0
    frames = sample["total_frames"]
    found = scores_over_time(recognizer, sample, window=1, step=1)
    kept = found.among(sample["keypoint"], frames - 3)
    assert kept.frames.tolist() == [0, 0, 0, *range(frames - 3)]
