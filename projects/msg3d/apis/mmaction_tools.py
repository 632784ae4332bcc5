"""MMAction2's own command-line tools, started with msg3d's mends in place.

MMAction2's tools import its models, or read a checkpoint, before they read a config:
too early for the config's `custom_imports = dict(imports=['msg3d'])`. The scripts of
`msg3d/.mim/tools`, which `mim train|test|run msg3d` starts, import msg3d first and then
run MMAction2's script of the same name.
"""

import importlib.util
import runpy
import sys
from pathlib import Path


def find_tool(name: str) -> Path:
    """Where MMAction2 keeps the tool `name`, such as `'confusion_matrix'`.

    Raises:
        FileNotFoundError: the installed MMAction2 has no such tool.
    """
    import mmaction

    tools = Path(mmaction.__file__).parent / ".mim" / "tools"
    found = sorted(tools.rglob(f"{name}.py"))
    if not found:
        raise FileNotFoundError(
            f"MMAction2 has no tool {name!r} under {tools}: install mmaction2==1.2.0 "
            "from its wheel, which carries its tools"
        )
    return found[0]


def run_tool(script: str, needs: str = "") -> None:
    """Runs MMAction2's tool that has the name of `script`, on the same arguments.

    Args:
        script: the wrapper's `__file__`.
        needs: a package that the tool imports and msg3d does not require.

    Raises:
        SystemExit: that package is missing; the message says how to install it.
    """
    name = Path(script).stem
    if needs and importlib.util.find_spec(needs) is None:
        sys.exit(
            f"{name} needs {needs}, which is not installed: pip install {needs}, or "
            "msg3d with its extra, msg3d[plot]"
        )
    tool = str(find_tool(name))
    sys.argv[0] = tool
    runpy.run_path(tool, run_name="__main__")
