"""End a failed run with one sentence instead of a traceback.

The sentence goes where it is printed last: to the file that `msg3d train` names for the
processes it starts, to the report of `torchrun`, or to the end of standard error.

Environment:
    MSG3D_DEBUG: if set, tracebacks are printed as well.
    MSG3D_ENDING: file for the sentence, of the process that fails first.
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
    """Return whether a program is MMAction2's `train.py` or `test.py`, or ours."""
    path = PurePath(program)
    return path.name in SCRIPTS and path.parent.parts[-2:] == (".mim", "tools")


def install() -> None:
    """Let uncaught errors of this process end it with one sentence."""
    previous = sys.excepthook
    last: list[str] = []

    def hook(
        error_type: type[BaseException],
        error: BaseException,
        trace: TracebackType | None,
    ) -> None:
        text, debug = sentence(error.with_traceback(trace)), os.environ.get(DEBUG)
        if is_interruption(error) and not debug:
            return  # the program that was interrupted first says so
        if text is None or debug:
            previous(error_type, error, trace)
        if text is not None and not pass_on(text):
            last.append(text)

    # Functions that were registered first run last.
    atexit.register(lambda: sys.stderr.writelines(f"{text}\n" for text in last))
    sys.excepthook = hook


def pass_on(text: str) -> bool:
    """Give the sentence to the program that started this process.

    Returns:
        Whether that program prints it.
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
