"""`msg3d test NAME` reproduces the accuracy of the model card exactly."""

import re

import pytest

from in_process import msg3d_command
from msg3d.checkpoints.shipped import card_of

NAME = "msg3d-synthetic"  # trained on data that msg3d generates


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Change to a folder with the data set, made by the command in the card."""
    monkeypatch.chdir(tmp_path)
    command = card_of(NAME)["msg3d"]["prepare"].split()
    assert msg3d_command(*command[1:]) == 0
    return tmp_path


def test_accuracy_is_that_of_the_card(folder, capsys):
    about = card_of(NAME)["msg3d"]
    expected = about["correct"] / about["samples"]
    assert reproduced(capsys) == pytest.approx(expected, abs=1e-9)
    loader = "test_dataloader"
    options = (
        "--ann-file",
        (folder / about["ann_file"]).rename(folder / "moved.pkl"),
        "--cfg-options",
        f"{loader}.batch_size=16",
        f"{loader}.num_workers=0",
        f"{loader}.persistent_workers=False",
    )
    assert reproduced(capsys, *options) == pytest.approx(expected, abs=1e-9)


def reproduced(capsys, *options) -> float:
    """Return the accuracy of a test that agrees with the card."""
    capsys.readouterr()
    assert msg3d_command("test", NAME, "--quiet", *options) == 0
    return float(re.search(r"acc/top1: (\S+)", capsys.readouterr().out)[1])
