"""Exported files, compared with the original networks."""

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
    export(*files, folder / "model.onnx")
    return *files, str(folder / "model.onnx")


def assert_close(actual, expected):
    np.testing.assert_allclose(actual.scores, expected.scores, rtol=0, atol=1e-4)


def test_predictions_equal_the_original(exported_files):
    config, checkpoint, file = exported_files
    original = Recognizer(config, checkpoint, device="cpu")
    exported = Recognizer.from_exported(file, batch_size=3)
    assert exported.classes == tuple(NAMES)
    assert exported.expected == original.expected
    options = {"persons": True, "pairs": 1}
    for actual, expected in zip(
        exported.predict(walks(), **options),
        original.predict(walks(), **options),
        strict=False,
    ):
        assert actual.name == expected.name
        assert actual.frames == expected.frames
        assert_close(actual, expected)
        for part in ("persons", "pairs"):
            parts = getattr(actual, part), getattr(expected, part)
            for pair in zip(*parts, strict=True):
                assert_close(*pair)


def test_number_of_clips(exported_files):
    config, checkpoint, file = exported_files
    original = Recognizer(config, checkpoint, device="cpu", clips=1).predict(walks())
    exported = Recognizer.from_exported(file, clips=1).predict(walks())
    for actual, expected in zip(exported, original, strict=True):
        assert_close(actual, expected)


def test_predict_command(exported_files, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    config, checkpoint, file = exported_files
    write("mine.pkl", joints=25, persons=2)
    shutil.copy(file, "model.onnx")

    def run():
        words = ("model.onnx", "--clips", 2, "mine.pkl", "--persons")
        assert msg3d_command("predict", *words) == 0
        return capsys.readouterr().out

    assert "already done 0" in run()
    assert "already done 1" in run()
    record = json.loads(Path("predictions/mine.pkl.json").read_text(encoding="utf-8"))
    samples = load_annotations("mine.pkl")["annotations"]
    original = Recognizer(config, checkpoint, device="cpu", clips=2).predict(samples)
    for actual, expected in zip(record["samples"], original, strict=True):
        assert actual["name"] == expected.name
        assert actual["score"] == pytest.approx(expected.score, abs=1e-4)
        assert len(actual["persons"]) == 2
    # A changed file with the same name is another network.
    os.utime("model.onnx", (1, 1))
    assert "already done 0" in run()


def test_torch_export(tmp_path):
    config, checkpoint = tiny(tmp_path, "ResTCN", NAMES)
    file = tmp_path / "model.pt2"
    export(config, checkpoint, file)
    original = Recognizer(config, checkpoint, device="cpu").predict(walks())
    exported = Recognizer.from_exported(file).predict(walks())
    for actual, expected in zip(exported, original, strict=True):
        assert_close(actual, expected)
        assert actual.name == expected.name
    module = torch.export.load(file).module(check_guards=False)
    assert module(torch.rand(2, 1, 2, 30, 25, 3)).shape == (2, 4)


def test_unsupported_step(tmp_path):
    config, checkpoint = tiny(tmp_path, "ResTCN")
    cfg = Config.fromfile(config)
    cfg.test_dataloader.dataset.pipeline.insert(0, {"type": "RandomScale3D"})
    with raises("config", ConfigError, field="test_pipeline.RandomScale3D"):
        export(cfg, checkpoint, tmp_path / "model.onnx")
    assert not (tmp_path / "model.onnx").exists()


def test_unsupported_pytorch(tmp_path, monkeypatch):
    def fail(*args, **kwargs):
        raise torch.onnx.OnnxExporterError("no function for this operator")

    config, checkpoint = tiny(tmp_path, "ResTCN")
    monkeypatch.setattr(torch.onnx, "export", fail)
    with raises("missing-package", ConfigError):
        export(config, checkpoint, tmp_path / "model.onnx")
    assert not list(tmp_path.glob("*.onnx*"))


def test_network_with_wrong_scores_is_not_written(tmp_path, monkeypatch):
    config, checkpoint = tiny(tmp_path, "ResTCN")
    monkeypatch.setattr(
        export_write.OnnxScores, "__call__", lambda self, inputs: np.zeros(4)
    )
    with raises("score", CheckpointError, file="model.onnx"):
        export(config, checkpoint, tmp_path / "model.onnx")
    assert not list(tmp_path.glob("*.onnx*"))


def test_invalid_files(tmp_path, exported_files):
    with raises("file-name", ConfigError, file="model.pb"):
        export(*exported_files[:2], tmp_path / "model.pb")
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
