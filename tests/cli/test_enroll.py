"""`msg3d enroll`, and `msg3d predict --enrolled`."""

import csv
from pathlib import Path

import numpy as np
import pytest

from errors import raises
from in_process import msg3d_command
from msg3d import Recognizer
from tiny_models import NTU_3D, trained


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    return trained(tmp_path_factory.mktemp("network"), NTU_3D)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Change to a folder with two recordings of each of two persons."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    for name in ("left", "right"):
        Path(name).mkdir()
        body = rng.normal(size=(1, 1, 25, 3))
        for number in (1, 2):
            noise = rng.normal(scale=0.02, size=(1, 20, 25, 3))
            np.save(f"{name}/{number}.npy", body + noise)
    return tmp_path


def run(*words):
    return msg3d_command(*words)


def test_classes_are_added_and_predicted(capsys, folder, network):
    # The output is in the folder of an input, and is not an example.
    for name, source in (("a", "left"), ("b", "right/1.npy"), ("b", "right/2.npy")):
        words = (name, source, "--output", "left/classes.npz", "--fps", 30)
        assert run("enroll", network[1], *words, "--clips", 2) == 0
    recognizer = Recognizer(network[1], device="cpu")
    recognizer.load_enrolled("left/classes.npz")
    assert recognizer.enrolled.names == ["a", "b"]
    assert recognizer.enrolled.counts == [2, 2]
    capsys.readouterr()
    sources = ("left/1.npy", "right/1.npy", "right/2.npy")
    words = (*sources, "--enrolled", "left/classes.npz", "--unit", "m")
    assert run("predict", network[1], *words) == 0
    with Path("predictions/predictions.csv").open(encoding="utf-8") as file:
        assert [row["name"] for row in csv.DictReader(file)] == ["a", "b", "b"]
    assert run("predict", network[1], *words, "--window", 8, "--output", "long") == 0
    with Path("long/segments.csv").open(encoding="utf-8") as file:
        assert {row["name"] for row in csv.DictReader(file)} == {"a", "b"}
    # Changed examples change the predictions, so the sources are predicted again.
    capsys.readouterr()
    for reused in (3, 0):
        assert run("predict", network[1], *words) == 0
        assert f"already done {reused}" in capsys.readouterr().out
        more = ("c", "left", "--output", "left/classes.npz", "--unit", "m")
        assert run("enroll", network[1], *more) == 0
        capsys.readouterr()


def test_errors_keep_the_file(capsys, folder, network):
    words = ("enroll", network[1], "a", "left", "--output", "classes.npz")
    assert run(*words, "--unit", "m") == 0
    before = Path("classes.npz").read_bytes()
    np.save("wrong.npy", np.ones((1, 5, 17, 3)))
    wrong = ("enroll", network[1], "b", "left", "wrong.npy", "--output", "classes.npz")
    with raises("shape"):
        run(*wrong, "--unit", "m", "--debug")
    assert Path("classes.npz").read_bytes() == before
    with raises("not-found", file="none.npz"):
        run("predict", network[1], "left", "--enrolled", "none.npz", "--debug")
    assert run("enroll", network[1], "a", "left") == 2
