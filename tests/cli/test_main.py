"""Help, errors, and exit statuses of all commands."""

import argparse
import io
import sys

import pytest

from in_process import msg3d_command
from msg3d.cli import main as cli
from msg3d.cli.options import SHARED


def run(capsys, *words):
    """Return status, stdout, and stderr of a command line."""
    return msg3d_command(*words), *capsys.readouterr()


def test_no_arguments(capsys):
    status, out, _ = run(capsys)
    assert status == 2
    assert all(command in out for command in cli.COMMANDS)


@pytest.mark.parametrize("command", cli.COMMANDS)
def test_help(capsys, command):
    status, out, _ = run(capsys, command, "--help")
    assert status == 0
    assert f"msg3d {command}" in out


def test_missing_file(capsys, tmp_path):
    status, out, err = run(
        capsys, "chunks", tmp_path / "no.pkl", tmp_path / "a.pkl", "--length", 8
    )
    assert (status, out, err.count("\n")) == (1, "", 1)


def test_existing_output_is_kept(capsys, tmp_path):
    output = tmp_path / "a.pkl"
    output.write_text("old", encoding="utf-8")
    status, _, err = run(capsys, "chunks", "in.pkl", output, "--length", 8)
    assert status == 1
    assert "--overwrite" in err
    assert output.read_text(encoding="utf-8") == "old"


def test_ascii_output(monkeypatch):
    output = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(output, encoding="ascii"))
    assert msg3d_command("configs", "nw-ucla") == 0
    assert rb"\xb1" in output.getvalue()  # the sign before a standard deviation


def test_interruption(capsys, monkeypatch):
    def interrupt(args):
        raise KeyboardInterrupt

    monkeypatch.setattr("msg3d.cli.chunks.run", interrupt)
    status, _, err = run(capsys, "chunks", "a", "b", "--length", 8)
    assert (status, err.count("\n")) == (130, 1)


def test_interruption_of_imports(capsys, monkeypatch):
    def interrupt(command):
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "make_parser", interrupt)
    status, _, err = run(capsys, "info")
    assert (status, err.count("\n")) == (130, 1)


@pytest.mark.parametrize(
    ("line", "program"),
    [
        ("chunks a b --length 8 --foo", "chunks"),
        ("prepare synthetic a.pkl --foo", "prepare synthetic"),
        ("prepare synthetic a.pkl --subjects 3", "prepare synthetic"),
        ("prepare folder a b.pkl --val-fraction 1.5", "prepare folder"),
        ("prepare folder a b.pkl --group (", "prepare folder"),
        ("prepare folder a b.pkl --unit inch", "prepare folder"),
        ("prepare ntu a b.pkl --benchmark ntu60 --max-persons -1", "prepare ntu"),
        ("configs copy", "configs"),
        ("draw --output a.png", "draw"),
        ("draw coco", "draw"),
        ("check a.pkl --show -1", "check"),
        ("check a.pkl --picture a.txt", "check"),
        ("fuse a.pkl b.pkl --fusion-weights 2", "fuse"),
        ("fuse a.pkl b.pkl --fusion-weights 2 -1", "fuse"),
        ("fuse a.pkl b.pkl --fusion-weights 0 0", "fuse"),
    ],
)
def test_wrong_usage(capsys, line, program):
    status, out, err = run(capsys, *line.split())
    assert (status, out) == (2, "")
    assert f"usage: msg3d {program}" in err
    assert f"msg3d {program}: error: " in err


@pytest.mark.parametrize(
    "line", ["check in.pkl --json", "check in.pkl --picture", "score-traits a b --json"]
)
def test_existing_report_is_kept(capsys, tmp_path, line):
    output = tmp_path / "a.png"
    output.write_text("old", encoding="utf-8")
    status, _, err = run(capsys, *line.split(), output)
    assert status == 1
    assert "--overwrite" in err
    assert output.read_text(encoding="utf-8") == "old"


def test_deprecated_option(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(
        "msg3d.cli.chunks.RENAMED", {"--frames": "--length"}, raising=False
    )
    monkeypatch.setattr("msg3d.cli.chunks.run", lambda args: print(args.length))
    _, out, err = run(capsys, "chunks", "a", "b", "--frames=8")
    assert out == "8\n"
    assert "--length" in err


def options(parser):
    """Yield the options of a parser and of its subparsers."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for sub in action.choices.values():
                yield from options(sub)
        else:
            yield action


@pytest.mark.parametrize("command", cli.COMMANDS)
def test_shared_options_are_consistent(command):
    for action in options(cli.make_parser(command)):
        for name in set(action.option_strings) & set(SHARED):
            shared = SHARED[name]
            assert (action.type is None) is (shared.get("type") is None)
            flag = shared.get("action") == "store_true"
            assert isinstance(action, argparse._StoreTrueAction) is flag
