"""`msg3d export`: models, outputs, and errors."""

import shutil
import sys
from pathlib import Path

import pytest

from exported_models import tiny
from in_process import msg3d_command
from msg3d import Recognizer


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    """(config, checkpoint); the checkpoint does not contain the config."""
    return tiny(tmp_path_factory.mktemp("network"), "ResTCN", list("abcd"))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(capsys, *words):
    return msg3d_command("export", *words), *capsys.readouterr()


def test_config_with_checkpoint(capsys, folder, network):
    config, checkpoint = network
    Path("names.txt").write_text("one\ntwo\nthree\nfour\n", encoding="utf-8")
    words = (config, "model.pt2", "--checkpoint", checkpoint, "--classes", "names.txt")
    status, out, err = run(capsys, *words)
    assert (status, err) == (0, "")
    assert "model.pt2" in out
    assert Recognizer("model.pt2").classes == ("one", "two", "three", "four")
    assert run(capsys, *words)[0] == 1
    assert run(capsys, *words, "--overwrite")[0] == 0


def test_positional_checkpoint_is_deprecated(capsys, folder, network):
    shutil.copy(network[1], "best.pth")
    status, _, err = run(capsys, network[0], "best.pth", "model.pt2")
    assert status == 0
    assert "--checkpoint best.pth" in err
    assert Recognizer("model.pt2").classes == tuple("abcd")


def test_output_is_checked_first(capsys, folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "msg3d.apis.trained", None)  # cannot be imported
    Path("a.onnx").write_text("old", encoding="utf-8")
    for name, token in (("a.onnx", "--overwrite"), ("a.pb", ".pt2")):
        status, _, err = run(capsys, "none.pth", name)
        assert status == 1
        assert token in err
        assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("{checkpoint}", "model.onnx"), "--checkpoint"),
        (("{config}", "model.onnx"), "--checkpoint"),
        (("a.pt2", "model.onnx"), "a.pt2"),
        (("none.py", "model.onnx", "--checkpoint", "{checkpoint}"), "none.py"),
        (("{config}", "model.onnx", "--checkpoint", "none.pth"), "none.pth"),
        (("{config}", "model.pb", "--checkpoint", "{checkpoint}"), "model.pb"),
        (("{checkpoint}", "model.pt2", "--benchmark"), "--benchmark"),
        (("{config}", "{checkpoint}", "a.onnx", "--checkpoint", "b.pth"), "a.onnx"),
    ],
)
def test_errors(capsys, folder, network, words, expected):
    config, checkpoint = network
    words = [word.format(config=config, checkpoint=checkpoint) for word in words]
    status, _out, err = run(capsys, *words)
    assert status == 1
    assert expected in err
    assert len(err.splitlines()) == 1
    assert not list(folder.iterdir())


def test_wrong_usage(capsys, folder):
    assert run(capsys, "best.pth")[0] == 2
