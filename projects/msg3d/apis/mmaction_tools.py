"""Runner for MMAction2's tools, with the compatibility fixes applied.

Some tools import `mmaction.models` or load a checkpoint before they read the config that
imports `msg3d`.
"""

import argparse
import ast
import importlib.util
import os
import pickle
import runpy
import sys
import tempfile
from pathlib import Path
from typing import Any

from ..engine.endings import DEBUG, SCRIPTS, pass_on
from ..engine.sentences import sentence
from ..errors import CheckpointError


def run_tool(name: str) -> None:
    """Run a script of MMAction2, with its arguments in `sys.argv`.

    If the script fails with an error that the user can fix, the process exits with one
    sentence. For the help of `train.py` and `test.py`, only their function `parse_args`
    runs: mim asks for the help of `train.py` before each run.

    Args:
        name: path relative to MMAction2's folder `tools`, such as
            `analysis_tools/confusion_matrix.py`.

    Raises:
        FileNotFoundError: the installed version of MMAction2 does not contain the script.
        ModuleNotFoundError: MMAction2 is not installed.
    """
    script = tool_path(name)
    if name in SCRIPTS and sys.argv[1:] in (["-h"], ["--help"]):
        _print_help(script)
    try:
        run_script(script)
    except Exception as error:
        text = sentence(error)
        if text is None or os.environ.get(DEBUG):
            raise
        sys.exit(1 if pass_on(text) else text)


def _print_help(script: str) -> None:
    """Print the help of a script and exit, without its imports."""
    tree = ast.parse(Path(script).read_text(encoding="utf-8"))
    tree.body = [
        part for part in tree.body if getattr(part, "name", "") == "parse_args"
    ]
    if not tree.body:  # another version of MMAction2
        return
    names: dict[str, Any] = {
        "argparse": argparse,
        "os": os,
        "DictAction": argparse.Action,
    }
    exec(compile(tree, script, "exec"), names)
    names["parse_args"]()


def tool_path(name: str) -> str:
    """Return the path of a script of MMAction2.

    Args:
        name: path relative to MMAction2's folder `tools`.

    Raises:
        FileNotFoundError: the installed version of MMAction2 does not contain the script.
        ModuleNotFoundError: MMAction2 is not installed.
    """
    package = importlib.util.find_spec("mmaction")
    if package is None or package.origin is None:
        raise ModuleNotFoundError("MMAction2 is not installed", name="mmaction")
    script = Path(package.origin).parent / ".mim" / "tools" / name
    if not script.is_file():
        raise FileNotFoundError(
            f"the script {script} is not in this version of MMAction2. Install "
            "mmaction2 1.2.0."
        )
    return str(script)


def run_script(path: str) -> None:
    """Run a script as the main program, with the arguments in `sys.argv`."""
    sys.argv[0] = path
    runpy.run_path(path, run_name="__main__")


def run_tool_on_pth(name: str) -> None:
    """Run a script of MMAction2 that accepts only checkpoints that end in `.pth`.

    Each argument `NAME.safetensors` is replaced with a temporary `.pth` file.

    Args:
        name: see `run_tool`.
    """
    with tempfile.TemporaryDirectory() as folder:
        try:
            sys.argv[1:] = [_as_pth(arg, folder) for arg in sys.argv[1:]]
        except CheckpointError as error:
            sys.exit(str(error))
        run_tool(name)


def _as_pth(arg: str, folder: str) -> str:
    from ..checkpoints import rewrite
    from ..checkpoints.safe_tensors import SUFFIX

    if not (arg.endswith(SUFFIX) and Path(arg).is_file()):
        return arg
    copy = str(Path(folder, f"{Path(arg).stem}.pth"))
    rewrite(arg, copy)
    return copy


def check_checkpoint(path: str) -> None:
    """Exit with a one-sentence error if a checkpoint cannot be loaded safely.

    PyTorch's message is long and recommends loading the file unsafely.
    """
    from mmengine.runner.checkpoint import CheckpointLoader

    try:
        CheckpointLoader.load_checkpoint(path, "cpu", logger="silent")
    except (pickle.UnpicklingError, CheckpointError, OSError) as error:
        sys.exit(str(error))
