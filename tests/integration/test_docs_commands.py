"""Run or parse every command and every block of Python in the documents.

The blocks of a document are executed in order, in a folder of its own. Cheap commands
run, and the others are parsed. The tables below list commands that can be neither run
nor parsed here, with the reason or with the test that runs them.
"""

import ast
import inspect
import re
from pathlib import Path

import pytest
from mmaction.registry import (
    DATA_SAMPLERS,
    DATASETS,
    HOOKS,
    METRICS,
    MODELS,
    TRANSFORMS,
)
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

# Documents whose blocks are run by another test.
TESTED_DOCUMENTS = {
    "docs/new_dataset.md": "tests/integration/test_new_dataset.py",
    "docs/predict.md": "tests/apis/test_predict_docs.py",
}
# Commands that are run by another test.
TESTED = {
    "mim run msg3d analyze_logs": "tests/integration/test_commands.py::test_analyze_logs",
}
# Commands that CI cannot run, and that no parser here supports.
NOT_RUN = {
    "sbatch": "needs a Slurm cluster; tests/integration/test_slurm.py submits it where there is one",
    "apt-get": "changes the machine",
    "git": "needs the network",
    "bash": "tools/try_machine.sh builds an environment and runs this test suite in it",
    "pytest": "runs this test suite",
}
# Commands that run in seconds. The others take long or require data that is only
# available on request: their arguments are parsed.
CHEAP = {
    "msg3d calibrate",
    "msg3d check",
    "msg3d draw",
    "msg3d export",
    "msg3d fuse",
    "msg3d pack",
    "msg3d predict",
    "msg3d report",
    "msg3d visualize",
}
# Commands that are cheap only with the network of one document.
CHEAP_IN = {"msg3d export": "docs/export.md"}
SHELL, PYTHON, DATA = "shell", "python", {"", "text", "csv", "json", "bibtex"}
SITE = {"{eval-rst}"}  # directives of Sphinx
VARIABLES = {
    "CONFIG": "configs/msg3d/msg3d_8xb16-joint-u100-80e_ntu60-xsub-keypoint-2d.py",
    "CHECKPOINT": "best.pth",
    "PARTITION": "partition",
    "WORK_DIR": "work_dirs/seed0",
}


@pytest.fixture(scope="module")
def actions() -> dict:
    return make_synthetic_actions(subjects=4, repeats=2, seed=0)


@pytest.fixture
def folder(tmp_path, monkeypatch, actions) -> Path:
    monkeypatch.chdir(tmp_path)
    fill(tmp_path, actions)
    return tmp_path


def test_tables_are_up_to_date():
    """Exempted documents and commands exist, and the named tests cover them."""
    assert set(EXTRA_FILES) | set(TESTED_DOCUMENTS) <= set(documents())
    for document, test in TESTED_DOCUMENTS.items():
        assert Path(document).name in (REPOSITORY / test).read_text(encoding="utf-8")
    for test in TESTED.values():
        file, name = test.split("::")
        assert f"def {name}(" in (REPOSITORY / file).read_text(encoding="utf-8")
    text = "".join(block.text for name in documents() for block in blocks(name))
    text = text.replace("\\\n", " ")
    for start in {*NOT_RUN, *TESTED, *CHEAP}:
        assert re.search(rf"^\s*(\w+ )?{re.escape(start)} ", text, re.M), start


@pytest.mark.parametrize("document", documents())
def test_commands_are_in_shell_blocks(document):
    """The tests below run shell blocks only."""
    for block in blocks(document):
        assert block.language in {SHELL, PYTHON, *DATA, *SITE}, block.place
        if block.language in DATA:
            command = re.search(r"^(\$ |python |mim |make |pip )", block.text, re.M)
            assert not command, block.place
    fences = (REPOSITORY / document).read_text(encoding="utf-8").count("\n```")
    assert fences == 2 * len(blocks(document)), (
        f"{document}: an unclosed or nested fence"
    )


@pytest.mark.parametrize(
    "document", [name for name in documents() if name not in TESTED_DOCUMENTS]
)
def test_blocks_of_document(document, request, monkeypatch):
    executable = [
        block for block in blocks(document) if block.language in (SHELL, PYTHON)
    ]
    if not executable:
        return
    folder = request.getfixturevalue("folder")
    EXTRA_FILES.get(document, lambda folder: None)(folder)
    names = page_variables(document, request.getfixturevalue("actions"))
    for block in executable:
        (run_commands if block.language == SHELL else execute)(block, folder, names)


def run_commands(block: Block, folder: Path, _: dict | None = None) -> None:
    """Run or parse the commands of a block."""
    for words in shell_commands(block, folder, VARIABLES):
        is_tested = any(" ".join(words).startswith(command) for command in TESTED)
        if is_tested or words[0] in NOT_RUN:
            continue
        try:
            parse(words)
            start = words[1]
            if start == "-m":
                start = " ".join(words[1:3])
            elif words[0] == "msg3d":
                start = " ".join(words[:2])
            is_cheap = CHEAP_IN.get(start, block.document) == block.document
            is_cheap = (
                is_cheap and "--check" not in words
            )  # tests/visualization runs it
            if words[0] in ("msg3d", "python") and start in CHEAP and is_cheap:
                run(words)
        except DocumentError as error:
            raise DocumentError(f"{block.place}: {error}") from error


def execute(block: Block, folder: Path, names: dict) -> None:
    """Run a block after the previous ones, or read it if it is a config."""
    parts = check_parts(block)
    if "_base_" in block.text:
        (folder / "config_of_block.py").write_text(block.text, encoding="utf-8")
        assert parts is not None
        assert Config.fromfile(folder / "config_of_block.py").model
    else:
        exec(compile(block.text, block.place, "exec"), names)


def check_parts(block: Block) -> list[str]:
    """Check that every `dict(type="NAME", ...)` has a registered name and valid arguments."""
    names = []
    for call in ast.walk(ast.parse(block.text)):
        if not (isinstance(call, ast.Call) and getattr(call.func, "id", "") == "dict"):
            continue
        values = {keyword.arg: keyword.value for keyword in call.keywords}
        name = getattr(values.pop("type", None), "value", None)
        if name is None:
            continue
        registries = (TRANSFORMS, MODELS, DATASETS, DATA_SAMPLERS, HOOKS, METRICS)
        parts = [part for registry in registries if (part := registry.get(name))]
        if not parts:
            raise DocumentError(f"{block.place}: no registered part {name!r}")
        accepted = set()
        for base in inspect.getmro(parts[0]):
            parameters = inspect.signature(base).parameters.values()
            accepted |= {parameter.name for parameter in parameters}
            if not any(
                parameter.kind is parameter.VAR_KEYWORD for parameter in parameters
            ):
                break
        unknown = set(values) - accepted - {"_delete_", "_scope_", None}
        if unknown:
            raise DocumentError(f"{block.place}: {name} has no argument {unknown}")
        names.append(name)
    return names


@pytest.mark.parametrize(
    ("language", "text", "error"),
    [
        ("shell", "python tools/vizualize.py graph a b --list", "vizualize.py"),
        ("shell", "python tools/visualize.py graph a b --lsit", "SystemExit"),
        ("shell", "msg3d prepare ntu RAW", "SystemExit"),
        ("shell", "msg3d prepare ntu A B --benchmark n", "SystemExit"),
        ("shell", "msg3d fuse no.pkl no.pkl", "no.pkl no.pkl: 1"),
        ("shell", "mim train mmaction configs/msg3d/missing.py", "no such file"),
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
def test_mistakes_are_detected(tmp_path, monkeypatch, language, text, error):
    """The tests above would fail for these blocks."""
    monkeypatch.chdir(tmp_path)
    block = Block("a.md", 1, language, text + "\n")
    with pytest.raises((DocumentError, ImportError, NameError)) as caught:
        (run_commands if language == SHELL else execute)(block, tmp_path, {})
    assert re.search(error, str(caught.value))


def test_shell_commands_expands_as_a_shell_does(tmp_path):
    (tmp_path / "last").write_text("epoch_4.pth", encoding="utf-8")
    text = "A=1  # of all\npython a.py $A \\\n    'b c' \"$(cat last)\" *.no\n\nmake x"
    commands = shell_commands(Block("a.md", 1, SHELL, text), tmp_path, {})
    assert commands == [
        ["python", "a.py", "1", "b c", "epoch_4.pth", "*.no"],
        ["make", "x"],
    ]
    assert docs_commands.PROGRAMS.keys() == {
        *("python", "msg3d", "mim", "make", "pip", "torchrun")
    }
