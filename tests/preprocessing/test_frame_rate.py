"""Frame rates: conversion in training, prediction, and streams."""

from types import SimpleNamespace

import numpy as np
import pytest
from mmengine.config import Config

from errors import raises
from msg3d.annotations.files import save_annotations
from msg3d.annotations.inspection import inspect_annotations
from msg3d.apis.keypoint_input import Expected, to_sample
from msg3d.apis.new_config import write_config
from msg3d.apis.prediction import Prediction
from msg3d.apis.stream import Stream
from msg3d.apis.untrimmed import frame_scores
from msg3d.datasets import SkeletonDataset
from msg3d.errors import ConfigError, DataError
from msg3d.preprocessing.frame_rate import at_rate, check_rate, rate_of
from samples import annotations, same

SECONDS = 2.0


def wave(times):
    """Return a slow motion at the given times, [1, T, 25, 3], and its sample."""
    phase = np.linspace(0, 3, 75)
    keypoint = np.sin(times[:, None] + phase) + 2
    return keypoint.astype(np.float32).reshape(1, -1, 25, 3)


def sample_at(fps):
    times = np.arange(int(SECONDS * fps) + 1) / fps
    frames = len(times)
    return {"keypoint": wave(times), "total_frames": frames, "fps": fps}


@pytest.mark.parametrize("fps", [10, 15, 30, 60, 23.976])
def test_every_rate_gives_the_same_motion(fps):
    changed = at_rate(sample_at(fps), 30)
    expected = wave(np.arange(61) / 30)
    frames = min(changed["keypoint"].shape[1], 61)
    assert frames >= 59
    assert changed["total_frames"] == changed["keypoint"].shape[1]
    np.testing.assert_allclose(
        changed["keypoint"][:, :frames], expected[:, :frames], atol=3e-3
    )


def test_irregular_times():
    rng = np.random.default_rng(0)
    times = np.sort(rng.uniform(0, SECONDS, 80))
    sample = {"keypoint": wave(times), "times": times + 5}
    changed = at_rate(sample, 30)
    count = changed["keypoint"].shape[1]
    assert count == int((times[-1] - times[0]) * 30) + 1
    expected = wave(times[0] + np.arange(count) / 30)
    np.testing.assert_allclose(changed["keypoint"], expected, atol=5e-3)
    assert "times" not in changed
    assert rate_of(sample) == pytest.approx(79 / (times[-1] - times[0]))


def test_equal_and_unknown_rates_change_nothing():
    sample = sample_at(29.97)
    assert at_rate(sample, 30) is sample
    del sample["fps"]
    assert at_rate(sample, 15) is sample
    assert rate_of(sample) is None


def test_absent_joints_stay_absent():
    sample = sample_at(10)
    sample["keypoint"][:, :, 3] = 0
    sample["keypoint"][:, 5, 4] = 0
    sample["keypoint_score"] = np.linspace(0.1, 1, 21)[None, :, None] * np.ones(25)
    changed = at_rate(sample, 30)
    assert not changed["keypoint"][:, :, 3].any()
    assert not changed["keypoint"][:, 13:18, 4].any()
    assert changed["keypoint"][:, :, 5].all()
    assert changed["keypoint_score"].shape == changed["keypoint"].shape[:3]


@pytest.mark.parametrize(
    "change",
    [
        {"fps": 0},
        {"fps": "30"},
        {"fps": float("nan")},
        {"times": [0, 1]},
        {"times": np.zeros(21)},
        {"times": [None] * 21},
        {"times": np.arange(21) * 1e6},
    ],
)
def test_invalid_rates(change):
    with raises("frame-rate", DataError):
        at_rate({**sample_at(10), **change}, 30)


def test_invalid_option():
    assert check_rate(None) is None
    for fps in (0, -1, "30", True, float("inf")):
        with raises("option", ConfigError):
            check_rate(fps)
    with raises("option", ConfigError):
        SkeletonDataset(ann_file="a.pkl", pipeline=[], fps=0, lazy_init=True)


def test_training_and_prediction_are_equal(tmp_path):
    data = annotations()
    for number, sample in enumerate(data["annotations"]):
        sample["fps"] = (10, 15, 30)[number % 3]
    save_annotations(data, tmp_path / "a.pkl")
    trained = SkeletonDataset(
        ann_file=str(tmp_path / "a.pkl"), split="train", pipeline=[], fps=15
    )
    expected = Expected("kinect20", 3, None, 1, fps=15)
    lengths = set()
    for number, sample in enumerate(data["annotations"][: len(trained)]):
        predicted = to_sample(sample, expected)
        assert same(trained[number]["keypoint"], predicted["keypoint"])
        assert trained[number]["total_frames"] == predicted["total_frames"]
        lengths.add(predicted["total_frames"] - sample["total_frames"])
    assert min(lengths) < 0 < max(lengths)
    assert 0 in lengths


class Recognizer:
    """Recognizer that records what it is asked to predict."""

    targets = ()
    classes = ("a", "b")

    def __init__(self, fps):
        self.expected, self.seen = Expected("nturgb+d", 3, None, 1, fps=fps), []

    def predict(self, sample, **options):
        self.seen.append(sample["keypoint"])
        frames = sample["keypoint"].shape[1]
        return Prediction("a", 0, "a", 1.0, np.array([1.0, 0]), (), frames=(0, frames))

    def prepare(self, sample, **options):
        return to_sample(sample, self.expected)

    def predict_each(self, samples, enrolled=False):
        for sample in samples:
            self.seen.append(sample["keypoint"])
            yield SimpleNamespace(scores=[sample["keypoint"].mean(), 0])


@pytest.mark.parametrize("fps", [10, 15, 30, 60])
@pytest.mark.parametrize("timed", [False, True])
def test_stream_is_resampled(fps, timed):
    sample = sample_at(fps)
    recognizer = Recognizer(30)
    stream = Stream(recognizer, window=100, every=1, fps=None if timed else fps)
    for number, pose in enumerate(sample["keypoint"].swapaxes(0, 1)):
        stream.add(pose, time=100 + number / fps if timed else None)
    expected = at_rate(sample, 30)["keypoint"]
    assert abs(stream.frames - expected.shape[1]) <= 1
    last = recognizer.seen[-1]
    frames = min(last.shape[1], expected.shape[1])
    np.testing.assert_allclose(last[:, :frames], expected[:, :frames], atol=1e-5)


def test_stream_without_rates_is_unchanged():
    for recognizer, fps in ((Recognizer(None), 10), (Recognizer(30), None)):
        stream = Stream(recognizer, window=100, every=1, fps=fps)
        pose = sample_at(10)["keypoint"]
        for frame in pose.swapaxes(0, 1):
            stream.add(frame)
        np.testing.assert_array_equal(recognizer.seen[-1], pose)
    stream = Stream(Recognizer(30), window=100)
    stream.add(pose[:, 0], time=1.0)
    with raises("frame-rate"):
        stream.add(pose[:, 1], time=0.5)


def test_scores_of_a_recording_have_its_frames():
    sample = sample_at(10)
    recognizer = Recognizer(30)
    scores = frame_scores(recognizer, sample, window=15, stride=5)
    assert {window.shape[1] for window in recognizer.seen} == {15}
    assert scores.shape == (sample["keypoint"].shape[1], 2)
    assert not np.isnan(scores).any()


@pytest.mark.parametrize(("recorded", "network"), [(30, 15), (60, 15), (10, 30)])
def test_every_frame_of_a_recording_has_scores(recorded, network):
    for frames in (17, 20, 100):
        sample = sample_at(recorded)
        sample["keypoint"] = np.resize(sample["keypoint"], (1, frames, 25, 3))
        scores = frame_scores(Recognizer(network), sample, window=15, stride=5)
        assert scores.shape == (frames, 2)


def test_long_pause_starts_the_stream_again():
    recognizer = Recognizer(30)
    stream = Stream(recognizer, window=60, every=1)
    pose = sample_at(30)["keypoint"][:, 0]
    for time in (0.0, 0.1, 100.0, 100.1):
        stream.add(pose, time=time)
    assert stream.frames == 4
    with raises("frame-rate"):
        stream.add(pose, time=float("inf"))


def test_checker_reports_invalid_rates():
    data = annotations()
    data["annotations"][0]["fps"] = 0
    data["annotations"][1]["times"] = [0, 1]
    kinds = [fault.kind for fault in inspect_annotations(data).faults]
    assert kinds == ["rate-invalid"] * 2


def test_new_config_states_the_rate(tmp_path):
    data = annotations()
    for sample in data["annotations"]:
        sample["fps"] = 25.0
    data["meta"] = {"layout": "kinect20"}
    save_annotations(data, tmp_path / "a.pkl")
    write_config(str(tmp_path / "a.pkl"), str(tmp_path / "config.py"))
    cfg = Config.fromfile(tmp_path / "config.py")
    assert cfg.test_dataloader.dataset.fps == 25
    assert cfg.train_dataloader.dataset.dataset.fps == 25
