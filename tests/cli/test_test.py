"""`msg3d test CHECKPOINT`, with the config in the checkpoint."""

import re

import pytest
import torch
from mmengine.config import Config

import tiny_runs
from errors import raises
from in_process import msg3d_command, without_paperwork
from msg3d.apis.stored_test import write_test_config
from msg3d.checkpoints import shipped
from msg3d.errors import CheckpointError, ConfigError, DataError


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Work dir of a training, and the checkpoint of its last epoch."""
    folder = tmp_path_factory.mktemp("run")
    tiny_runs.train(tiny_runs.prepare(folder), folder / "run", experiment_name="tiny")
    return folder, folder / "run" / "epoch_4.pth"


def changed(run, tmp_path, change) -> str:
    """Save the checkpoint of a run with another config."""
    loaded = torch.load(run[1])
    cfg = Config.fromfile(run[0] / "tiny.py")
    change(cfg)
    with without_paperwork():
        loaded["meta"]["cfg"] = cfg.pretty_text
    path = tmp_path / "changed.pth"
    torch.save({key: loaded[key] for key in ("state_dict", "meta")}, path)
    return str(path)


def test_config_of_the_checkpoint(run, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    folder, checkpoint = run
    quiet = ("--quiet", "--work-dir", tmp_path)
    assert msg3d_command("test", checkpoint, *quiet) == 0
    stored = capsys.readouterr().out
    assert msg3d_command("test", folder / "tiny.py", checkpoint, *quiet) == 0
    assert stored == capsys.readouterr().out
    moved = tmp_path / "moved.pkl"
    moved.write_bytes((folder / "data.pkl").read_bytes())
    words = ("test", "-C", checkpoint, "--ann-file", moved, *quiet)
    assert msg3d_command(*words) == 0
    assert stored == capsys.readouterr().out


@pytest.mark.parametrize(
    ("correct", "samples", "status"), [(1, 4, None), (-1, 1, 1)], ids=["same", "other"]
)
def test_comparison_with_the_card(
    run, tmp_path, monkeypatch, capsys, correct, samples, status
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(shipped, "FOLDER", tmp_path)
    (tmp_path / "tiny.pth").write_bytes(run[1].read_bytes())
    if status is None:  # read the result before the card is written
        assert msg3d_command("test", run[1], "--quiet", "--work-dir", tmp_path) == 0
        result = float(re.search(r"acc/top1: (\S+)", capsys.readouterr().out)[1])
        correct, status = round(result * samples), 0
        assert correct / samples == result
    card = f"---\nmsg3d: {{correct: {correct}, samples: {samples}}}\n---\n"
    (tmp_path / "tiny.md").write_text(card, encoding="utf-8")
    words = ("test", "tiny", "--quiet", "--work-dir", tmp_path)
    assert msg3d_command(*words) == status
    assert "tiny" in capsys.readouterr().out


def test_missing_data(run, tmp_path):
    with raises("not-found", DataError, file="no.pkl", field="ann_file"):
        write_test_config(str(run[1]), tmp_path, "no.pkl")
    with raises("not-found", DataError, file="no.pkl") as caught:
        write_test_config(str(run[1]), tmp_path, "no.pkl", "msg3d prepare x")
    assert "msg3d prepare x" in str(caught.value)


def test_annotation_file_belongs_to_the_stored_config(run, capsys):
    words = ("test", run[0] / "tiny.py", run[1], "--ann-file", "a.pkl")
    with raises("option", ConfigError, field="ann_file"):
        msg3d_command(*words, "--debug")
    assert msg3d_command(*words) == 1


@pytest.mark.parametrize("words", [(), ("a.py",), ("-C",)])
def test_checkpoint_is_required(words):
    assert msg3d_command("test", *words) == 2


def test_incomplete_configs(run, tmp_path):
    for section in ("test_dataloader", "test_evaluator"):
        path = changed(run, tmp_path, lambda cfg, key=section: cfg.pop(key))
        with raises("config", CheckpointError, file="changed.pth", field=section):
            write_test_config(path, tmp_path)
    loaded = torch.load(run[1])
    torch.save({"state_dict": loaded["state_dict"]}, tmp_path / "bare.pth")
    with raises("config", CheckpointError, file="bare.pth"):
        write_test_config(str(tmp_path / "bare.pth"), tmp_path)


@pytest.mark.parametrize(
    ("section", "name"),
    [
        ("model.backbone", "torch.hub.load"),
        ("model", "Unknown"),
        ("test_dataloader.dataset", "PoseDataset"),  # unpickles without restrictions
        ("test_evaluator.0", "DumpResults"),  # writes a file
        ("test_dataloader.dataset.pipeline.0", "os.system"),
    ],
)
def test_unknown_classes_are_rejected(run, tmp_path, section, name):
    def change(cfg):
        part = cfg
        for key in section.split("."):
            part = part[int(key) if key.isdecimal() else key]
        part["type"] = name

    with raises("unsafe", CheckpointError, file="changed.pth"):
        write_test_config(changed(run, tmp_path, change), tmp_path)
