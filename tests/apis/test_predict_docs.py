"""Run the code blocks of docs/predict.md in order, as a user would."""

import argparse
import csv
import re
import shlex
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from test_predict_files import video

from conftest import REPOSITORY
from in_process import msg3d_command
from msg3d.apis.tasks import Labels
from msg3d.cli import predict
from msg3d.datasets import load_annotations, save_annotations
from msg3d.skeletons.units import UNITS
from samples import write
from tiny_models import NTU_3D, trained, trained_on_targets

TEXT = (REPOSITORY / "docs" / "predict.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)


def commands():
    lines = "".join(blocks("shell")).replace("\\\n", " ").splitlines()
    return [shlex.split(line) for line in lines]


@pytest.fixture
def user_folder(tmp_path, monkeypatch):
    """Folder with the files that the page uses."""
    config, checkpoint = trained(tmp_path / "model", NTU_3D, list("abcd"))
    config.rename(tmp_path / "my_config.py")
    checkpoint.rename(tmp_path / "best.pth")
    data = load_annotations(write(tmp_path / "mine.pkl", joints=25, persons=3))
    save_annotations(data, tmp_path / "mine.pkl")
    scene = data["annotations"][0]["keypoint"]
    (tmp_path / "folder").mkdir()
    trained_on_targets(tmp_path / "traits.pth", ["EXTRAVERSION_Z"])
    np.save(tmp_path / "body.npy", np.random.default_rng(0).normal(size=(1, 9, 24, 3)))
    np.save(tmp_path / "wave.npy", scene[:1])
    np.save(tmp_path / "scene.npy", scene)
    np.save(tmp_path / "folder" / "a.npy", scene)
    video(tmp_path / "clip.avi")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_python_runs(user_folder, capsys):
    names = {}
    for block in blocks("python"):
        exec(compile(block, "docs/predict.md", "exec"), names)
    printed = capsys.readouterr().out
    assert "[M, T, V=25, C=3]" in printed
    assert len(names["names"]) == 2
    assert set(names["names"]) <= set("abcd")
    rows = re.findall(r"^(\([\d, ]+\)) \(", printed, re.M)
    assert rows[:3] == ["(0,)", "(1,)", "(2,)"]
    assert set(rows[3:]) == {"(0, 1)", "(0, 2)", "(1, 2)"}
    assert list(names["traits"]) == ["EXTRAVERSION_Z"]
    assert names["recognizer"].enrolled.names == ["wave", "nod"]
    assert "['wave', 'nod'] [2, 2]" in printed
    assert names["sequence"]["keypoint"].shape == (0, 8, 17, 2)


def test_commands_run(user_folder, capsys):
    command_lines = commands()
    assert command_lines
    assert {words[1] for words in command_lines} == {"predict", "enroll"}
    for words in command_lines:
        if "--pose-model" not in words:
            assert msg3d_command(*words[1:]) == 0, words
    with Path("results/predictions.csv").open(newline="", encoding="utf-8") as file:
        assert len(list(csv.DictReader(file))) == 4
    with Path("enrolled/predictions.csv").open(newline="", encoding="utf-8") as file:
        assert {row["name"] for row in csv.DictReader(file)} <= {"wave", "nod"}
    with Path("predictions/predictions.csv").open(newline="", encoding="utf-8") as file:
        assert len(list(csv.DictReader(file))) == 7


def test_all_units_and_options_are_documented():
    (table,) = blocks("csv")
    assert table.splitlines()[0] == ",".join(
        Labels(SimpleNamespace(targets=())).columns
    )
    parser = argparse.ArgumentParser(add_help=False)
    predict.add_arguments(parser)
    python_names = {
        "--batch-size": "batch_size",
        "--device": "device=",
        "--clips": "clips=",
    }
    options = [word for action in parser._actions for word in action.option_strings]
    assert len(options) > 20
    for word in (*UNITS, *(python_names.get(option, option) for option in options)):
        assert word in TEXT, word
