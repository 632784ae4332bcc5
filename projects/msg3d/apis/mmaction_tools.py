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
from ..errors import CheckpointError


def run_tool(name: str) -> None:
    """Run MMAction2's script `name`, such as `analysis_tools/confusion_matrix.py`.

    The command line is that of the script. A refused file exits with one sentence.

    Raises:
        FileNotFoundError: this version of MMAction2 has no such tool.
    """
    package = Path(importlib.util.find_spec("mmaction").origin).parent
    script = package / ".mim" / "tools" / name
    if not script.is_file():
        raise FileNotFoundError(
            f"MMAction2 has no tool {script}: msg3d works with mmaction2 1.2.0"
        )
    sys.argv[0] = str(script)
    try:
        runpy.run_path(str(script), run_name="__main__")
    except ModuleNotFoundError as error:
        sys.exit(
            f"{name} needs {error.name}, which is missing: pip install {error.name}"
        )
    except (pickle.UnpicklingError, CheckpointError) as error:
        sys.exit(str(error))


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
    if not (part.endswith(SUFFIX) and os.path.isfile(part)):
        return part
    copy = os.path.join(folder, f"{Path(part).stem}.pth")
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
