"""Short error messages instead of tracebacks at the end of a failed run.

The message is written to the place that is printed last. This is the file that
`msg3d train` sets for its processes, the error file of `torchrun`, or standard error.

Environment:
    MSG3D_DEBUG: if set, tracebacks are printed as well.
    MSG3D_ENDING: file for the message of the first process that fails.
"""

import atexit
import json
import os
import sys
import time
from pathlib import Path, PurePath
from types import TracebackType

from .sentences import is_interruption, sentence

DEBUG, FILE = "MSG3D_DEBUG", "MSG3D_ENDING"
SCRIPTS = ("train.py", "test.py")


def is_script(program: str) -> bool:
    """Return whether a program is `train.py` or `test.py` of MMAction2 or msg3d."""
    path = PurePath(program)
    return path.name in SCRIPTS and path.parent.parts[-2:] == (".mim", "tools")


def install() -> None:
    """Replace the tracebacks of uncaught errors in this process with short messages."""
    previous = sys.excepthook
    last: list[str] = []

    def hook(
        error_type: type[BaseException],
        error: BaseException,
        trace: TracebackType | None,
    ) -> None:
        text, debug = sentence(error.with_traceback(trace)), os.environ.get(DEBUG)
        if is_interruption(error) and not debug:
            return  # the launcher reports the interruption
        if text is None or debug:
            previous(error_type, error, trace)
        if text is not None and not pass_on(text):
            last.append(text)

    # Registered early, because exit functions run in reverse order.
    atexit.register(lambda: sys.stderr.writelines(f"{text}\n" for text in last))
    sys.excepthook = hook


def pass_on(text: str) -> bool:
    """Pass the message to the launcher of this process.

    Returns:
        Whether the launcher prints it.
    """
    if path := os.environ.get(FILE):
        try:
            with Path(path).open("x", encoding="utf-8") as file:
                file.write(text)
            return True
        except FileExistsError:  # another process failed first
            return True
        except OSError:
            return False
    if path := os.environ.get("TORCHELASTIC_ERROR_FILE"):
        try:
            with Path(path).open("w", encoding="utf-8") as file:
                json.dump({"message": text, "timestamp": str(int(time.time()))}, file)
            return True
        except OSError:
            return False
    return False
