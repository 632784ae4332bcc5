"""`msg3d prepare`: help, choices, options, deprecated names, and interruptions."""

import inspect
import runpy
import sys

import numpy as np
import pytest

from conftest import REPOSITORY
from in_process import msg3d_command
from msg3d import converters
from msg3d.annotations.chunks import REMAINDERS
from msg3d.annotations.files import load_annotations
from msg3d.cli.prepare import FORMATS
from msg3d.converters import sbu, udiva, user_data
from msg3d.formats.base import all_formats

TOOLS = REPOSITORY / "tools" / "data"
# Options that the command handles, without a parameter in a converter.
OWN = {("poses", "unit"), ("folder", "pose_model"), ("folder", "det_model")}


@pytest.fixture
def raw(tmp_path):
    """Files of two pairs of persons in the format of SBU."""
    rng = np.random.default_rng(0)
    for pair in ("s01s02", "s02s03"):
        path = tmp_path / "raw" / pair / "03" / "001" / "skeleton_pos.txt"
        path.parent.mkdir(parents=True)
        rows = np.column_stack([[1, 2, 3], rng.uniform(0.1, 0.9, (3, 90))])
        path.write_text(
            "\n".join(",".join(map(str, row)) for row in rows), encoding="utf-8"
        )
    return tmp_path / "raw"


@pytest.mark.parametrize("name", [*FORMATS, "synthetic"])
def test_help(capsys, name):
    assert msg3d_command("prepare", name, "--help") == 0
    printed = capsys.readouterr().out
    assert "OUTPUT" in printed
    assert "--overwrite" in printed
    assert "--quiet" in printed


@pytest.mark.parametrize(
    ("name", "option", "allowed"),
    [
        ("folder", "--format", all_formats()),
        ("poses", "--format", user_data.ESTIMATORS),
        ("sbu", "--unit", sbu.UNITS),
        ("udiva", "--remainder", REMAINDERS),
        ("udiva", "--missing", udiva.MISSING),
    ],
)
def test_choices_match_the_converters(name, option, allowed):
    assert [*FORMATS[name].options[option]["choices"]] == [*allowed]


@pytest.mark.parametrize("name", FORMATS)
def test_options_match_parameters_and_defaults(name):
    convert = getattr(converters, FORMATS[name].converter)
    parameters = inspect.signature(convert).parameters
    for option, arguments in FORMATS[name].options.items():
        dest = arguments.get("dest", option[2:].replace("-", "_"))
        if (name, dest) in OWN:
            continue
        default = arguments.get("default", False if "action" in arguments else None)
        if arguments.get("required") or arguments.get("action") == "append":
            default = parameters[dest].default
        if option == "--seed":
            default = 0
        assert parameters[dest].default == default, option


def test_every_converter_has_a_command():
    used = {data_format.converter for data_format in FORMATS.values()}
    assert used == {*converters.__all__}


def test_existing_output(raw, tmp_path, capsys):
    out = tmp_path / "a.pkl"
    command = ("prepare", "sbu", raw, out, "--num-workers", 1)
    assert msg3d_command(*command) == 0
    before = out.read_bytes()
    assert msg3d_command(*command, "--unit", "m") == 1
    assert "--overwrite" in capsys.readouterr().err
    assert out.read_bytes() == before
    assert msg3d_command(*command, "--unit", "m", "--overwrite") == 0
    assert load_annotations(out)["meta"]["units"] == "m"


@pytest.mark.parametrize("words", [("sbu", "--quiet"), ("--quiet", "sbu")])
def test_quiet(raw, tmp_path, capsys, words):
    command = ("prepare", *words, raw, tmp_path / "a.pkl", "--num-workers", 1)
    assert msg3d_command(*command) == 0
    printed = capsys.readouterr()
    assert printed.out.count("\n") == 1
    assert "a.pkl" in printed.out
    assert not printed.err


def test_resume_after_an_interruption(raw, tmp_path, capsys, monkeypatch):
    out = tmp_path / "a.pkl"
    command = ("prepare", "sbu", raw, out, "--num-workers", 1)

    def interrupt(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("msg3d.converters.convert.write_report", interrupt)
        patch.setattr("msg3d.converters.convert.save_annotations", interrupt)
        assert msg3d_command(*command) == 130
    printed = capsys.readouterr()
    assert not printed.out
    assert printed.err.count("\n") == 1
    assert {path.name for path in tmp_path.iterdir()} == {"raw", "a.pkl.parts"}
    assert msg3d_command(*command) == 0
    assert not (tmp_path / "a.pkl.parts").exists()


def run_tool(monkeypatch, name, *arguments):
    """Run a script of tools/data and return its exit status."""
    monkeypatch.setattr(sys, "argv", [f"{name}.py", *map(str, arguments)])
    with pytest.raises(SystemExit) as caught:
        runpy.run_path(str(TOOLS / f"{name}.py"), run_name="__main__")
    return caught.value.code


def test_deprecated_options(raw, tmp_path, monkeypatch, capsys):
    (raw / "s01s02" / "03" / "001" / "skeleton_pos.txt").write_text(
        "1,2", encoding="utf-8"
    )
    out = tmp_path / "a.pkl"
    arguments = (raw, out, "--units", "meters", "--jobs=1")
    assert run_tool(monkeypatch, "prepare_sbu", *arguments) == 1
    assert run_tool(monkeypatch, "prepare_sbu", *arguments, "--allow-bad") == 0
    warnings = capsys.readouterr().err
    for option in ("--unit", "--num-workers", "--skip-invalid"):
        assert f"Use {option} " in warnings
    assert load_annotations(out)["meta"]["units"] == "m"


@pytest.mark.parametrize("path", sorted(TOOLS.glob("*.py")), ids=lambda path: path.stem)
def test_tools_are_wrappers(path, monkeypatch, capsys):
    assert path.read_text(encoding="utf-8").count("\n") < 10
    assert run_tool(monkeypatch, path.stem, "--help") == 0
    assert "msg3d " in capsys.readouterr().out


def test_synthetic_csv_folder(tmp_path, capsys, monkeypatch):
    out = tmp_path / "new" / "example"
    command = ("prepare", "synthetic", "--as-csv", out, "--subjects", 4)
    assert msg3d_command(*command, "--quiet") == 0
    assert len([*out.glob("*/s*_e*.csv")]) == 80
    assert capsys.readouterr().out.count("\n") == 1
    assert msg3d_command(*command) == 1
    assert msg3d_command(*command, "--overwrite") == 0

    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("msg3d.synthetic.csv_folder.as_csv", interrupt)
    command = ("prepare", "synthetic", "--as-csv", tmp_path / "other")
    assert msg3d_command(*command, "--subjects", 4) == 130
    assert {path.name for path in tmp_path.iterdir()} == {"new"}
