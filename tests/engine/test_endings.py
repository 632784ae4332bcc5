"""Output of short error messages at the end of a run."""

import json
import sys

import pytest

from msg3d.engine import endings
from msg3d.errors import DataError

ERROR = DataError("is faulty", kind="corrupt", file="a.pkl")
TEXT = "a.pkl: is faulty"


@pytest.fixture(autouse=True)
def unset_variables(monkeypatch):
    for name in (endings.FILE, endings.DEBUG, "TORCHELASTIC_ERROR_FILE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def ends(monkeypatch, capsys):
    """Simulate the end of this process with an uncaught error."""
    previous, at_exit = [], []
    monkeypatch.setattr(sys, "excepthook", lambda *error: previous.append(error))
    monkeypatch.setattr(endings.atexit, "register", at_exit.append)
    endings.install()

    def end(error):
        sys.excepthook(type(error), error, None)
        before = capsys.readouterr().err
        for function in at_exit:
            function()
        return before, capsys.readouterr().err, len(previous)

    return end


def test_message_is_the_last_line(ends):
    assert ends(ERROR) == ("", f"{TEXT}\n", 0)


def test_debug(ends, monkeypatch):
    monkeypatch.setenv(endings.DEBUG, "1")
    assert ends(ERROR) == ("", f"{TEXT}\n", 1)


def test_bugs_keep_the_traceback(ends):
    assert ends(IndexError("5")) == ("", "", 1)


def test_interruption(ends):
    assert ends(KeyboardInterrupt()) == ("", "", 0)


def test_first_process_writes_the_file(ends, monkeypatch, tmp_path):
    file = tmp_path / "ending"
    monkeypatch.setenv(endings.FILE, str(file))
    assert ends(ERROR) == ("", "", 0)
    assert ends(OSError("another")) == ("", "", 0)
    assert file.read_text(encoding="utf-8") == TEXT


def test_unwritable_file(ends, monkeypatch, tmp_path):
    monkeypatch.setenv(endings.FILE, str(tmp_path / "no" / "ending"))
    assert ends(ERROR) == ("", f"{TEXT}\n", 0)


def test_error_file_of_torchrun(ends, monkeypatch, tmp_path):
    from torch.distributed.elastic.multiprocessing.errors import ProcessFailure

    file = tmp_path / "error.json"
    monkeypatch.setenv("TORCHELASTIC_ERROR_FILE", str(file))
    assert ends(ERROR) == ("", "", 0)
    assert json.loads(file.read_text(encoding="utf-8"))["message"] == TEXT
    assert ProcessFailure(0, 1, 1, str(file)).message == TEXT


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        ("/x/mmaction/.mim/tools/train.py", True),
        ("/x/msg3d/.mim/tools/test.py", True),
        ("/x/mmaction/.mim/tools/analysis_tools/get_flops.py", False),
        ("train.py", False),
        ("/usr/bin/pytest", False),
        ("", False),
    ],
)
def test_scripts(program, expected):
    assert endings.is_script(program) == expected
