"""MMAction2's own tools, started with the stack mended.

Several of them import `mmaction.models` or read a checkpoint before they read the
config that names `msg3d`. Importing this module first is most of what they lack.
"""

import importlib.util
import os
import pickle
import runpy
import sys
import tempfile
from pathlib import Path

from mmengine.runner.checkpoint import CheckpointLoader

from ..checkpoints import (
    rewrite,
)
from ..checkpoints.safe_tensors import SUFFIX
from ..errors import CheckpointError


def run_tool(name: str) -> None:
    """Runs MMAction2's script `name`, such as `analysis_tools/confusion_matrix.py`.

    The command line is the script's own. A file that is refused ends it in one sentence.

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
    """`run_tool` of a script that knows checkpoints by the ending `.pth` only.

    It is given a `.pth` of each `NAME.safetensors` that is there.
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
    """Ends the program in one sentence where torch alone would refuse a checkpoint.

    Its own text is a screen long, and advises to read the file with code and all.
    """
    try:
        CheckpointLoader.load_checkpoint(path, "cpu", logger="silent")
    except (pickle.UnpicklingError, CheckpointError, OSError) as error:
        sys.exit(str(error))
