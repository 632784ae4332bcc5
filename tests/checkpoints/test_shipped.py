"""Weights are found by the name under which the package contains them."""

import shutil

import pytest
from mmengine.config import DictAction

import tiny_runs
from errors import raises
from in_process import msg3d_command
from msg3d.checkpoints import shipped
from msg3d.checkpoints.shipped import encode_path, find_weights
from msg3d.errors import CheckpointError


@pytest.fixture
def trained(tmp_path, monkeypatch):
    """Ship the weights of a tiny network as 'tiny', and return their file."""
    monkeypatch.setattr(shipped, "FOLDER", tmp_path / "weights")
    (tmp_path / "weights").mkdir()
    tiny_runs.train(tiny_runs.prepare(tmp_path), tmp_path / "run")
    file = tmp_path / "weights" / "tiny.pth"
    shutil.copyfile(tmp_path / "run" / "epoch_4.pth", file)
    return file


def test_name_or_file(trained, tmp_path):
    assert find_weights("tiny") == str(trained)
    assert find_weights(str(trained)) == str(trained)
    assert find_weights("https://example.org/a.pth") == "https://example.org/a.pth"
    with raises("not-found", CheckpointError, file="other"):
        find_weights("other")
    assert list(shipped.shipped_weights()) == ["tiny"]


@pytest.mark.parametrize("folder", ["my run", "a,b", "('a')", "50%", "plain"])
def test_special_characters_in_paths(trained, tmp_path, folder):
    (tmp_path / folder).mkdir()
    file = tmp_path / folder / "w.pth"
    shutil.copyfile(trained, file)
    # As MMEngine parses --cfg-options
    value = DictAction._parse_iterable(encode_path(str(file)))
    assert find_weights(value) == str(file)


def test_train_from_a_name(trained, tmp_path):
    tuned = tiny_runs.train(tmp_path / "tiny.py", tmp_path / "tuned", load_from="tiny")
    assert tuned._load_from == str(trained)


def test_commands_take_names(trained, tmp_path):
    config = tmp_path / "tiny.py"
    work_dir = ["--work-dir", tmp_path / "command"]
    assert msg3d_command("test", config, "tiny", *work_dir) == 0
    assert msg3d_command("test", config, "other", *work_dir) == 1
    assert msg3d_command("train", config, "--weights", "other", *work_dir) == 1
    assert msg3d_command("test", config, "", *work_dir) == 1
