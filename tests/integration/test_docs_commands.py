"""Every command and every block of Python that the documents hold is run or parsed.

A document is followed from top to bottom in a folder of its own. A command that is
neither cheap to run nor known to a parser must be named here, with the reason why or
with the test that runs it.
"""

import ast
import inspect
import re
from pathlib import Path

import pytest
from mmaction.registry import DATASETS, HOOKS, METRICS, MODELS, TRANSFORMS
from mmengine.config import Config

import docs_commands
from conftest import REPOSITORY
from docs_commands import (
    Block,
    DocumentError,
    blocks,
    documents,
    parse,
    run,
    shell_commands,
)
from docs_folder import EXTRA_FILES, fill, page_variables
from msg3d.synthetic.actions import make_synthetic_actions

# Documents of which a test of their own runs every block.
FOLLOWED = {
    "docs/new_dataset.md": "tests/integration/test_new_dataset.py",
    "docs/predict.md": "tests/apis/test_predict_docs.py",
}
# Commands that only a test of their own can give what they need.
TESTED = {
    "mim run msg3d analyze_logs": "tests/integration/test_commands.py::test_analyze_logs",
}
# Commands that CI cannot run, and of which no parser can be had.
CANNOT = {
    "sbatch": "needs a Slurm cluster; tests/integration/test_slurm.py submits it where there is one",
    "apt-get": "changes the machine",
    "git": "needs the network",
    "bash": "tools/try_machine.sh builds an environment and runs this very suite in it",
    "pytest": "runs this very suite",
}
# What runs here in seconds; the others are long, or need data that are handed out on
# request, and their arguments are parsed.
CHEAP = {
    "-m msg3d_onnx",
    "msg3d check",
    "msg3d draw",
    "msg3d export",
    "msg3d fuse",
    "msg3d pack",
    "msg3d predict",
    "msg3d visualize",
}
# Cheap with the network of one document alone.
ONLY = {"msg3d export": "docs/export.md"}
SHELL, PYTHON, DATA = "shell", "python", {"", "text", "csv", "json", "bibtex"}
SITE = {"{toctree}", "{eval-rst}"}
VARIABLES = {
    "CONFIG": "configs/msg3d/msg3d_8xb16-joint-u100-80e_ntu60-xsub-keypoint-2d.py",
    "CHECKPOINT": "best.pth",
    "PARTITION": "partition",
    "WORK_DIR": "work_dirs/seed0",
}


@pytest.fixture(scope="module")
def actions() -> dict:
    return make_synthetic_actions(subjects=4, repeats=1, seed=0)


@pytest.fixture
def folder(tmp_path, monkeypatch, actions) -> Path:
    monkeypatch.chdir(tmp_path)
    fill(tmp_path, actions)
    return tmp_path


def test_tables_are_up_to_date():
    """What is excused stands in a document, and is tested where it is said to be."""
    assert set(EXTRA_FILES) | set(FOLLOWED) <= set(documents())
    for document, test in FOLLOWED.items():
        assert Path(document).name in (REPOSITORY / test).read_text(encoding="utf-8")
    for test in TESTED.values():
        file, name = test.split("::")
        assert f"def {name}(" in (REPOSITORY / file).read_text(encoding="utf-8")
    every = "".join(one.text for name in documents() for one in blocks(name))
    every = every.replace("\\\n", " ")
    for start in {*CANNOT, *TESTED, *CHEAP}:
        assert re.search(rf"^\s*(\w+ )?{re.escape(start)} ", every, re.M), start


@pytest.mark.parametrize("document", documents())
def test_commands_stand_in_shell_blocks(document):
    """So that the tests below see all of them."""
    for block in blocks(document):
        assert block.language in {SHELL, PYTHON, *DATA, *SITE}, block.place
        if block.language in DATA:
            found = re.search(r"^(\$ |python |mim |make |pip )", block.text, re.M)
            assert not found, block.place
    fences = (REPOSITORY / document).read_text(encoding="utf-8").count("\n```")
    assert fences == 2 * len(blocks(document)), (
        f"{document}: an unclosed or inner fence"
    )


@pytest.mark.parametrize(
    "document", [one for one in documents() if one not in FOLLOWED]
)
def test_document_is_followed(document, request, monkeypatch):
    written = [one for one in blocks(document) if one.language in (SHELL, PYTHON)]
    if not written:
        return
    folder = request.getfixturevalue("folder")
    EXTRA_FILES.get(document, lambda folder: None)(folder)
    names = page_variables(document, request.getfixturevalue("actions"))
    for block in written:
        (follow if block.language == SHELL else execute)(block, folder, names)


def follow(block: Block, folder: Path, _: dict | None = None) -> None:
    """Runs or parses the commands of a block."""
    for words in shell_commands(block, folder, VARIABLES):
        if words[0] in CANNOT or any(" ".join(words).startswith(o) for o in TESTED):
            continue
        try:
            parse(words)
            start = words[1]
            if start == "-m":
                start = " ".join(words[1:3])
            elif words[0] == "msg3d":
                start = " ".join(words[:2])
            here = ONLY.get(start, block.document) == block.document
            here = here and "--check" not in words  # tests/visualization runs it
            if words[0] in ("msg3d", "python") and start in CHEAP and here:
                run(words)
        except DocumentError as error:
            raise DocumentError(f"{block.place}: {error}") from error


def execute(block: Block, folder: Path, names: dict) -> None:
    """Runs a block after those above it, or reads it as the config that it is."""
    parts = check_parts(block)
    if "_base_" in block.text:
        (folder / "of_the_text.py").write_text(block.text, encoding="utf-8")
        assert parts is not None
        assert Config.fromfile(folder / "of_the_text.py").model
    else:
        exec(compile(block.text, block.place, "exec"), names)


def check_parts(block: Block) -> list[str]:
    """Every `dict(type="NAME", ...)` names a registered part and its arguments."""
    found = []
    for call in ast.walk(ast.parse(block.text)):
        if not (isinstance(call, ast.Call) and getattr(call.func, "id", "") == "dict"):
            continue
        values = {one.arg: one.value for one in call.keywords}
        name = getattr(values.pop("type", None), "value", None)
        if name is None:
            continue
        registries = (TRANSFORMS, MODELS, DATASETS, HOOKS, METRICS)
        parts = [part for one in registries if (part := one.get(name))]
        if not parts:
            raise DocumentError(f"{block.place}: no registered part {name!r}")
        taken = set()
        for base in inspect.getmro(parts[0]):
            signature = inspect.signature(base).parameters.values()
            taken |= {one.name for one in signature}
            if not any(one.kind is one.VAR_KEYWORD for one in signature):
                break
        unknown = set(values) - taken - {"_delete_", "_scope_", None}
        if unknown:
            raise DocumentError(f"{block.place}: {name} has no argument {unknown}")
        found.append(name)
    return found


@pytest.mark.parametrize(
    ("language", "text", "error"),
    [
        ("shell", "python tools/visualise.py graph a b --list", "visualise.py"),
        ("shell", "python tools/visualize.py graph a b --lsit", "SystemExit"),
        ("shell", "msg3d prepare ntu RAW", "SystemExit"),
        ("shell", "msg3d prepare ntu A B --benchmark n", "SystemExit"),
        ("shell", "msg3d fuse no.pkl no.pkl", "no.pkl no.pkl: 1"),
        ("shell", "mim train mmaction configs/msg3d/none.py", "no such file"),
        ("shell", "mim train mmaction a.py --resmue", "SystemExit"),
        ("shell", "mim train mmaction a.py --launcher mpi", "launcher"),
        ("shell", "mim run msg3d get_flop a.py", "0 tools get_flop.py"),
        ("shell", "mim search msg3d --data ntu60", "--data"),
        (
            "shell",
            "mim train mmaction $CONFIG --cfg-options model.backbone.base_chanels=4",
            "has no 'base_chanels'",
        ),
        ("shell", "make quickstrat", "quickstrat"),
        ("shell", "pip install '.[onxx]'", "no extra 'onxx'"),
        ("shell", "torchrun --nprocs_per_node=2 a.py", "SystemExit"),
        ("shell", "curl address", "curl: no parser"),
        ("shell", "python tools/predict.py 'a", "quote|matching"),
        ("shell", "mim test mmaction $CONFG", "CONFG"),
        ("python", "dict(type='AlignViews')", "AlignViews"),
        ("python", "dict(type='AlignView', lenght=3)", "lenght"),
        ("python", "from msg3d.apis import Streams", "Streams"),
        ("python", "print(keypoints)", "keypoints"),
    ],
)
def test_mistakes_are_found(tmp_path, monkeypatch, language, text, error):
    """Or all of the above could pass without looking."""
    monkeypatch.chdir(tmp_path)
    block = Block("a.md", 1, language, text + "\n")
    with pytest.raises((DocumentError, ImportError, NameError)) as caught:
        (follow if language == SHELL else execute)(block, tmp_path, {})
    assert re.search(error, str(caught.value))


def test_the_shell_expands_as_it_would(tmp_path):
    (tmp_path / "last").write_text("epoch_4.pth", encoding="utf-8")
    text = "A=1  # of all\npython a.py $A \\\n    'b c' \"$(cat last)\" *.no\n\nmake x"
    found = shell_commands(Block("a.md", 1, SHELL, text), tmp_path, {})
    assert found == [
        ["python", "a.py", "1", "b c", "epoch_4.pth", "*.no"],
        ["make", "x"],
    ]
    assert docs_commands.PROGRAMS.keys() == {
        *("python", "msg3d", "mim", "make", "pip", "torchrun")
    }
