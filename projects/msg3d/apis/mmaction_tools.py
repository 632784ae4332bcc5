"""MMAction2's own tools, started with the stack mended.

Several of them import `mmaction.models` or read a checkpoint before they read the
config that names `msg3d`. Importing this module first is all that they lack.
"""

import importlib.util
import runpy
import sys
from pathlib import Path


def run_tool(name: str) -> None:
    """Runs MMAction2's script `name`, such as `analysis_tools/confusion_matrix.py`.

    The command line is the script's own.

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
