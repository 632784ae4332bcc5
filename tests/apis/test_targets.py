"""Regression networks: recognizers, files, export, and unsupported operations."""

import csv
import json

import numpy as np
import pytest
import torch

from errors import raises
from exported_models import needs_onnx_export
from in_process import msg3d_command
from msg3d import Recognizer
from msg3d.apis.untrimmed import frame_scores
from msg3d.datasets import SkeletonDataset, save_annotations
from msg3d.errors import ConfigError
from msg3d.export import export
from msg3d.visualization.explainer import Explainer
from samples import annotations
from tiny_models import trained_on_targets

NAMES = ["calm", "tall"]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """A checkpoint that contains its config and the names of its targets."""
    path = tmp_path_factory.mktemp("targets") / "best.pth"
    return trained_on_targets(path, NAMES)


@pytest.fixture(scope="module")
def recognizer(checkpoint):
    return Recognizer(checkpoint, device="cpu")


def walk(seed=0, frames=20):
    rng = np.random.default_rng(seed)
    steps = rng.normal(scale=0.05, size=(1, frames, 24, 3)).cumsum(1)
    return (rng.normal(size=(1, 1, 24, 3)) + steps).astype(np.float32)


def test_predicted_targets(recognizer, checkpoint):
    keypoint = walk()
    prediction = recognizer.predict(keypoint)
    assert recognizer.targets == tuple(NAMES)
    assert recognizer.classes == ()
    assert list(prediction.targets) == NAMES
    assert (prediction.label, prediction.name, prediction.score) == (None,) * 3
    assert prediction.top() == []
    assert not len(prediction.scores)
    assert prediction.frames == (0, 20)
    assert prediction.rows == (0,)
    inputs = recognizer._pipeline(recognizer.prepare(keypoint))
    model = recognizer._scores.model
    with torch.no_grad():
        clips = model.extract_feat(torch.from_numpy(inputs)[None], stage="head")[0]
    values = [prediction.targets[name] for name in NAMES]
    np.testing.assert_allclose(values, clips.mean(0), rtol=1e-5)
    # The head returns values in the units of the targets.
    assert model.cls_head.target_mean.tolist() == [5, 6]


def test_target_names(checkpoint, tmp_path):
    assert Recognizer(checkpoint, classes=["a", "b"]).targets == ("a", "b")
    content = torch.load(checkpoint)
    content["meta"].pop("dataset_meta")
    torch.save(content, tmp_path / "nameless.pth")
    assert Recognizer(tmp_path / "nameless.pth", device="cpu").targets == ("0", "1")
    with raises("label", ConfigError):
        Recognizer(checkpoint, classes=["a"])


def test_names_in_the_annotation_file(tmp_path):
    data = annotations(joints=24, samples=4)
    data["meta"] = {"targets": NAMES}
    for sample in data["annotations"]:
        sample["targets"] = np.zeros(2)
    save_annotations(data, tmp_path / "a.pkl")
    options = {"ann_file": str(tmp_path / "a.pkl"), "split": "train", "pipeline": []}
    assert SkeletonDataset(**options).metainfo["targets"] == NAMES


def test_command_writes_a_column_per_target(recognizer, checkpoint, tmp_path, capsys):
    np.save(tmp_path / "a.npy", walk())
    out = tmp_path / "out"
    words = ("predict", checkpoint, tmp_path / "a.npy", "--persons")
    assert msg3d_command(*words, "--output", out) == 0
    with (out / "predictions.csv").open(newline="", encoding="utf-8") as file:
        all_persons, person = csv.DictReader(file)
    expected = recognizer.predict(walk()).targets
    assert list(all_persons)[-2:] == NAMES
    assert person["of"] == "person 0"
    assert {name: float(all_persons[name]) for name in NAMES} == pytest.approx(
        expected, abs=1e-4
    )
    (sample,) = json.loads((out / "a.npy.json").read_text(encoding="utf-8"))["samples"]
    assert sample["targets"] == pytest.approx(expected)
    assert "label" not in sample
    capsys.readouterr()
    assert msg3d_command(*words, "--output", "-") == 0
    assert json.loads(capsys.readouterr().out)["targets"] == pytest.approx(expected)


@pytest.mark.parametrize(
    "suffix", [pytest.param("onnx", marks=needs_onnx_export), "pt2"]
)
def test_exported(recognizer, checkpoint, tmp_path, suffix):
    file = tmp_path / f"model.{suffix}"
    export(checkpoint, None, file)
    exported = Recognizer(file)
    assert exported.targets == tuple(NAMES)
    assert exported.classes == ()
    for actual, expected in zip(
        exported.predict([walk(), walk(1, 50)]),
        recognizer.predict([walk(), walk(1, 50)]),
        strict=False,
    ):
        assert actual.targets == pytest.approx(expected.targets, rel=1e-4)


def test_operations_that_require_classes(recognizer, checkpoint, tmp_path, capsys):
    with raises("option", ConfigError):
        frame_scores(recognizer, walk(), 8, 4)
    with raises("config", ConfigError):
        Explainer(checkpoint, device="cpu")
    np.save(tmp_path / "a.npy", walk())
    words = ("predict", checkpoint, tmp_path / "a.npy", "--output", tmp_path / "out")
    assert msg3d_command(*words, "--window", 8) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1
