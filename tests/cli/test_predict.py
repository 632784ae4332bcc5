"""`msg3d predict`: models, inputs, outputs, and errors."""

import csv
import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch

from errors import raises
from in_process import msg3d_command
from msg3d.cli.options import INPUT_FORMATS
from msg3d.formats.base import all_formats
from tiny_models import NTU_2D, trained

SIZE = (480, 640)
CLASSES = ["wave", "sit", "jump", "fall"]


class Malicious:
    def __reduce__(self):
        return os.system, ("touch executed",)


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    """(config, checkpoint); the checkpoint contains the config."""
    return trained(tmp_path_factory.mktemp("network"), NTU_2D, CLASSES)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Change to a folder with two recordings of the same name."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    for name in ("a.npy", "deep/a.npy"):
        Path(name).parent.mkdir(exist_ok=True)
        np.save(name, rng.uniform(100, 300, (2, 8, 17, 2)).astype(np.float32))
    return tmp_path


def run(capsys, *words):
    words = (*words, "--img-shape", *SIZE)
    return msg3d_command("predict", *words), *capsys.readouterr()


def rows(path="predictions/predictions.csv"):
    with Path(path).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_formats():
    assert tuple(all_formats()) == INPUT_FORMATS


def test_model_is_a_checkpoint_or_a_config(capsys, folder, network):
    config, checkpoint = network
    tables = []
    for number, model in enumerate(
        [(checkpoint,), (config, "--checkpoint", checkpoint)]
    ):
        status, out, err = run(capsys, *model, "a.npy", "--output", number)
        assert (status, err) == (0, "")
        assert "predicted 1" in out
        tables.append(rows(f"{number}/predictions.csv"))
    assert tables[0] == tables[1]
    assert tables[0][0]["name"] in CLASSES


def test_deprecated_arguments(capsys, folder, network):
    status, _, err = run(capsys, *network, "a.npy", "--out", "old")
    assert status == 0
    assert len(err.splitlines()) == 2
    assert "--checkpoint" in err
    assert "--output" in err
    assert len(rows("old/predictions.csv")) == 1


def test_several_inputs(capsys, folder, network):
    assert run(capsys, network[1], "a.npy", "deep", "deep/a.npy")[0] == 0
    assert [row["source"] for row in rows()] == ["a.npy", "deep/a.npy"]
    assert Path("predictions/deep/a.npy.json").is_file()


def test_json_lines(capsys, folder, network):
    Path("b.npy").write_bytes(b"junk")
    words = (network[1], "a.npy", "b.npy", "deep", "--output", "-")
    status, out, err = run(capsys, *words)
    lines = [json.loads(line) for line in out.splitlines()]
    assert [line["source"] for line in lines] == ["a.npy", "deep/a.npy"]
    assert all(line["name"] in CLASSES for line in lines)
    assert status == 1
    assert "b.npy" in err
    assert not Path("-").exists()
    assert not Path("predictions").exists()
    options = ("--output", "-", "--window", 4, "--fps", 25)
    (line,) = run(capsys, network[1], "a.npy", *options)[1].splitlines()
    assert json.loads(line)["segments"]


def test_resume_or_overwrite(capsys, folder, network):
    Path("names.txt").write_text("one\ntwo\nthree\nfour\n", encoding="utf-8")
    for options, reused in (
        ([], 0),
        ([], 1),
        (["--overwrite"], 0),
        (["--classes", "names.txt"], 0),
        (["--clips", 2], 0),
    ):
        status, out, _ = run(capsys, network[1], "a.npy", *options)
        assert status == 0
        assert f"already done {reused}" in out


def test_folder_of_frames(capsys, folder, network):
    Path("clip").mkdir()
    for number in range(4):
        keypoints = np.random.default_rng(number).uniform(1, 99, (25, 3)).ravel()
        people = [{"person_id": [-1], "pose_keypoints_2d": keypoints.tolist()}]
        Path(f"clip/{number}_keypoints.json").write_text(
            json.dumps({"version": 1.3, "people": people}), encoding="utf-8"
        )
    assert run(capsys, network[1], "clip")[0] == 0
    assert Path("predictions/clip.json").is_file()
    assert [row["source"] for row in rows()] == ["clip"]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("{checkpoint}", "none"), "none"),
        (("none.py", "a.npy", "--checkpoint", "{checkpoint}"), "none.py"),
        (("{config}", "a.npy", "--checkpoint", "none.pth"), "none.pth"),
        (("{config}", "a.npy"), "--checkpoint"),
        (("none.pth", "a.npy"), "none.pth"),
        (("plain.pth", "a.npy"), "--checkpoint"),
        (("{checkpoint}", "b.npy"), "FAILED b.npy: b.npy: "),
        (("{checkpoint}", "a.npy", "--pose-model", "no.onnx"), "no.onnx"),
        (("{checkpoint}", "a.npy", "--det-model", "x"), "--pose-model"),
        (("{checkpoint}", "a.npy", "--checkpoint", "{config}"), "tiny.pth"),
        (("evil.pth", "a.npy"), "evil.pth"),
        (("{config}", "a.npy", "--checkpoint", "evil.pth"), "evil.pth"),
        (("none.onnx", "a.npy"), "none.onnx"),
        (("none.onnx", "a.npy", "--device", "cpu"), "--device"),
        (("{checkpoint}", "a.npy", "--window", 4, "--persons"), "--persons"),
        (("{checkpoint}", "a.npy", "--window", 4, "--smooth", 2), "--smooth"),
    ],
)
def test_errors(capsys, folder, network, words, expected):
    np.save("b.npy", np.zeros((1, 5, 25, 3)))
    torch.save({"state_dict": Malicious()}, "evil.pth")
    torch.save({"state_dict": {}}, "plain.pth")
    config, checkpoint = network
    words = [str(word).format(config=config, checkpoint=checkpoint) for word in words]
    status, _out, err = run(capsys, *words)
    assert status == 1
    assert expected in err
    assert len(err.splitlines()) == 1
    assert not Path("executed").exists()


def test_output_is_checked_first(capsys, folder):
    Path("occupied").write_text("", encoding="utf-8")
    for output in ("occupied", "occupied/a/b"):
        status, out, err = run(capsys, "none.pth", "none.npy", "--output", output)
        assert (status, out, err.count("\n")) == (1, "", 1)
        assert "occupied" in err
        assert "--output" in err
        with raises("wrong-path", file="occupied"):
            run(capsys, "none.pth", "none.npy", "--output", output, "--debug")


def test_wrong_usage(capsys, folder):
    assert run(capsys, "best.pth")[0] == 2
    assert run(capsys, "best.pth", "a.npy", "--format", "docx")[0] == 2
