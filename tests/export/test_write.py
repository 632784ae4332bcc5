"""Exported files against the networks that they were made of."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from mmengine.config import Config

from errors import raises
from exported_models import needs_onnx_export, tiny, walks
from in_process import msg3d_command
from msg3d import Recognizer
from msg3d.apis.exported import KEY
from msg3d.datasets import load_annotations
from msg3d.errors import CheckpointError, ConfigError
from msg3d.export import export
from msg3d.export import write as export_write
from samples import write

pytestmark = needs_onnx_export
NAMES = ["wave", "sit", "jump", "fall"]


@pytest.fixture(scope="module")
def exported_files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("exported")
    files = tiny(folder, "PartitionSTGCN", NAMES)
    export(*files, folder / "one.onnx")
    return *files, str(folder / "one.onnx")


def test_recognizer_of_a_file_predicts_as_of_the_checkpoint(exported_files):
    config, checkpoint, file = exported_files
    made = Recognizer(config, checkpoint, device="cpu")
    read = Recognizer.from_exported(file, batch_size=3)
    assert read.classes == tuple(NAMES)
    assert read.expected == made.expected
    options = {"persons": True, "pairs": 1}
    for found, expected in zip(
        read.predict(walks(), **options), made.predict(walks(), **options), strict=False
    ):
        assert found.name == expected.name
        assert found.frames == expected.frames
        for one, other in zip(
            (found, *found.persons, *found.pairs),
            (expected, *expected.persons, *expected.pairs),
            strict=True,
        ):
            np.testing.assert_allclose(one.scores, other.scores, rtol=0, atol=1e-4)


def test_clips_of_a_file_can_be_chosen(exported_files):
    config, checkpoint, file = exported_files
    one = Recognizer(config, checkpoint, device="cpu", clips=1).predict(walks())
    found = Recognizer.from_exported(file, clips=1).predict(walks())
    for actual, expected in zip(found, one, strict=True):
        np.testing.assert_allclose(actual.scores, expected.scores, rtol=0, atol=1e-4)


def test_command_predicts_with_a_file(exported_files, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    config, checkpoint, file = exported_files
    write("mine.pkl", joints=25, persons=2)
    shutil.copy(file, "model.onnx")

    def run():
        words = ("model.onnx", "--clips", 2, "mine.pkl", "--persons")
        assert msg3d_command("predict", *words) == 0
        return capsys.readouterr().out

    assert "done before 0" in run()
    assert "done before 1" in run()
    found = json.loads(Path("predictions/mine.pkl.json").read_text(encoding="utf-8"))[
        "samples"
    ]
    samples = load_annotations("mine.pkl")["annotations"]
    expected = Recognizer(config, checkpoint, device="cpu", clips=2).predict(samples)
    for one, other in zip(found, expected, strict=True):
        assert one["name"] == other.name
        assert one["score"] == pytest.approx(other.score, abs=1e-4)
        assert len(one["persons"]) == 2
    # Another file of the same name is another network.
    os.utime("model.onnx", (1, 1))
    assert "done before 0" in run()


def test_program_of_torch_export(tmp_path):
    config, checkpoint = tiny(tmp_path, "ResTCN", NAMES)
    export(config, checkpoint, tmp_path / "one.pt2")
    expected = Recognizer(config, checkpoint, device="cpu").predict(walks())
    found = Recognizer.from_exported(tmp_path / "one.pt2").predict(walks())
    for actual, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(actual.scores, other.scores, rtol=0, atol=1e-4)
        assert actual.name == other.name
    plain = torch.export.load(tmp_path / "one.pt2").module(check_guards=False)
    assert plain(torch.rand(2, 1, 2, 30, 25, 3)).shape == (2, 4)


def test_a_step_that_cannot_be_carried_is_named(tmp_path):
    config, checkpoint = tiny(tmp_path, "ResTCN")
    cfg = Config.fromfile(config)
    cfg.test_dataloader.dataset.pipeline.insert(0, {"type": "RandomScale3D"})
    with raises("config", ConfigError, field="test_pipeline.RandomScale3D"):
        export(cfg, checkpoint, tmp_path / "one.onnx")
    assert not (tmp_path / "one.onnx").exists()


def test_unsupported_pytorch_is_named(tmp_path, monkeypatch):
    def fail(*args, **kwargs):
        raise torch.onnx.OnnxExporterError("no function for this operator")

    config, checkpoint = tiny(tmp_path, "ResTCN")
    monkeypatch.setattr(torch.onnx, "export", fail)
    with raises("missing-package", ConfigError):
        export(config, checkpoint, tmp_path / "one.onnx")
    assert not list(tmp_path.glob("*.onnx*"))


def test_wrong_scores_are_not_written(tmp_path, monkeypatch):
    config, checkpoint = tiny(tmp_path, "ResTCN")
    monkeypatch.setattr(
        export_write.OnnxScores, "__call__", lambda self, inputs: np.zeros(4)
    )
    with raises("score", CheckpointError, file="one.onnx"):
        export(config, checkpoint, tmp_path / "one.onnx")
    assert not list(tmp_path.glob("*.onnx*"))


def test_files_that_are_none_of_ours(tmp_path, exported_files):
    with raises("file-name", ConfigError, file="one.pb"):
        export(*exported_files[:2], tmp_path / "one.pb")
    with raises("not-found", CheckpointError, file="none.onnx"):
        Recognizer.from_exported(tmp_path / "none.onnx")
    (tmp_path / "text.onnx").write_text("no network", encoding="utf-8")
    with raises("corrupt", CheckpointError, file="text.onnx"):
        Recognizer.from_exported(tmp_path / "text.onnx")
    proto = onnx.load(exported_files[2])
    del proto.metadata_props[:]
    onnx.save(proto, tmp_path / "bare.onnx")
    with raises("structure", CheckpointError, file="bare.onnx"):
        Recognizer.from_exported(tmp_path / "bare.onnx")
    onnx.helper.set_model_props(proto, {KEY: json.dumps({"format": 99})})
    onnx.save(proto, tmp_path / "newer.onnx")
    with raises("version", CheckpointError, file="newer.onnx"):
        Recognizer.from_exported(tmp_path / "newer.onnx")
