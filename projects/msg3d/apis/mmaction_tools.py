"""Run MMAction2's tools with the compatibility fixes applied.

Some of them import `mmaction.models` or load a checkpoint before they read the config
that imports `msg3d`.
"""

import importlib.util
import os
import pickle
import runpy
import sys
import tempfile
from pathlib import Path

from mmengine.runner.checkpoint import CheckpointLoader

from ..checkpoints import rewrite
from ..checkpoints.safe_tensors import SUFFIX
from ..engine.endings import DEBUG, pass_on
from ..engine.sentences import sentence
from ..errors import CheckpointError


def run_tool(name: str) -> None:
    """Run MMAction2's script `name`, such as `analysis_tools/confusion_matrix.py`.

    The command line is that of the script. It exits with one sentence after an error
    that the user can fix.

    Raises:
        FileNotFoundError: this version of MMAction2 has no such tool.
    """
    script = tool_path(name)
    try:
        run_script(script)
    except Exception as error:
        text = sentence(error)
        if text is None or os.environ.get(DEBUG):
            raise
        sys.exit(1 if pass_on(text) else text)


def tool_path(name: str) -> str:
    """Return the path of MMAction2's script `name`.

    Raises:
        FileNotFoundError: this version of MMAction2 has no such tool.
        ModuleNotFoundError: MMAction2 is not installed.
    """
    package = importlib.util.find_spec("mmaction")
    if package is None or package.origin is None:
        raise ModuleNotFoundError("MMAction2 is not installed", name="mmaction")
    script = Path(package.origin).parent / ".mim" / "tools" / name
    if not script.is_file():
        raise FileNotFoundError(
            f"MMAction2 has no tool {script}: msg3d works with mmaction2 1.2.0"
        )
    return str(script)


def run_script(path: str) -> None:
    """Run a script as the main program, with the arguments in `sys.argv`."""
    sys.argv[0] = path
    runpy.run_path(path, run_name="__main__")


def run_tool_on_pth(name: str) -> None:
    """`run_tool` for a script that only accepts checkpoints that end in `.pth`.

    Each `NAME.safetensors` on its command line is replaced by a temporary `.pth`.
    """
    with tempfile.TemporaryDirectory() as folder:
        try:
            sys.argv[1:] = [_as_pth(part, folder) for part in sys.argv[1:]]
        except CheckpointError as error:
            sys.exit(str(error))
        run_tool(name)


def _as_pth(part: str, folder: str) -> str:
    if not (part.endswith(SUFFIX) and Path(part).is_file()):
        return part
    copy = str(Path(folder, f"{Path(part).stem}.pth"))
    rewrite(part, copy)
    return copy


def check_checkpoint(path: str) -> None:
    """Exit with one sentence if a checkpoint is refused.

    torch's own message fills a screen, and recommends to load the file unsafely.
    """
    try:
        CheckpointLoader.load_checkpoint(path, "cpu", logger="silent")
    except (pickle.UnpicklingError, CheckpointError, OSError) as error:
        sys.exit(str(error))
