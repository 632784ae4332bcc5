"""One-sentence descriptions of errors that users can fix.

MMEngine and MMAction2 raise built-in exceptions both for mistakes in configs and for
bugs. The place where they are raised distinguishes the two.
"""

import difflib
import re
import traceback
from pickle import UnpicklingError
from types import FrameType
from typing import Any

from ..errors import MSG3DError

CONFIG = "mmengine/config/config.py"
BUILD = "mmengine/registry/build_functions.py"
RUNNER = "mmengine/runner/runner.py"
GCN_HEAD = "mmaction/models/heads/gcn_head.py"
TOOLS = "mmaction/.mim/tools/"
# Raised by a constructor, these concern its arguments.
ARGUMENT_ERRORS = (AssertionError, NotImplementedError, ValueError)
# Functions called by constructors to read data, where these errors have other causes.
READING = {"full_init", "load_data_list", "prepare_data"}
UNKNOWN = re.compile(r"__init__\(\) (got an unexpected|missing \d+ required)")
MEMORY = re.compile("out of memory|can't allocate memory")
WORKER = re.compile(r"Caught \w+ in DataLoader worker process")


def sentence(error: BaseException) -> str | None:
    """Return one sentence about an error, or None if users cannot fix it.

    Args:
        error: an exception with its traceback.
    """
    text = _of_own(error) or _of_config(error) or _of_torch(error)
    return text and " ".join(text.split())


def is_interruption(error: BaseException | None) -> bool:
    """Return whether Ctrl-C caused an error.

    MMEngine converts it to a SyntaxError while it formats a config for a checkpoint.
    """
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__context__
    return error is not None


def _of_own(error: BaseException) -> str | None:
    """Describe errors whose text is already a sentence."""
    if isinstance(error, (MSG3DError, UnpicklingError, FloatingPointError)):
        return str(error)
    if isinstance(error, ModuleNotFoundError) and "." not in (error.name or "."):
        return f"{error.name} is not installed. Install it: pip install {error.name}"
    if isinstance(error, ImportError):
        if "custom modules" in str(error):  # MMEngine's, with sys.path
            return (
                f"custom_imports: {error.__context__}. Correct the name, or add the "
                "folder of the module to PYTHONPATH."
            )
        return str(error)
    if isinstance(error, OSError):
        named = error.filename is not None
        return f"{error.filename}: {error.strerror}" if named else str(error)
    return None


def _of_torch(error: BaseException) -> str | None:
    text = str(error)
    if isinstance(error, MemoryError) or (
        isinstance(error, RuntimeError) and MEMORY.search(text)
    ):
        first = text.partition(". ")[0].partition("\n")[0] or "out of memory"
        return (
            f"{first}. Reduce train_dataloader.batch_size, add --amp, or set "
            "model.backbone.with_cp=True (only MSG3D)."
        )
    if WORKER.match(text):
        # The text ends with the last line of the worker's traceback.
        name, _, rest = text.strip().splitlines()[-1].partition(": ")
        known = ("msg3d.errors.", "FileNotFoundError", "PermissionError", "OSError")
        return rest if name.startswith(known) else None
    return None


def _of_config(error: BaseException) -> str | None:
    """Describe a mistake in a config or in the options that override it."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    if not frames:
        return None
    text = _text(error)
    reading = [frame for frame in frames if _is_in(frame, CONFIG)]
    for frame in reversed(reading):
        if frame.f_code.co_name in ("_file2dict", "fromfile"):
            file = str(frame.f_locals.get("filename"))
            return f"{file}{_line(error, file)}: {text}"
        if frame.f_code.co_name == "merge_from_dict":
            return f"--cfg-options: {text}"
        if type(frame.f_locals.get("self")).__name__ == "DictAction":
            word = str(frame.f_locals.get("kv"))
            wrong = text if "=" in word else f"expected KEY=VALUE, got {word!r}"
            return f"--cfg-options: {wrong}"
    last = frames[-1]
    callers = {frame.f_code.co_name for frame in frames[-4:]}
    missing = isinstance(error, (KeyError, AttributeError)) and error.args
    if missing and reading and callers & {"from_cfg", "merge_args", "main"}:
        return f"a required entry is missing from the config ({text})"
    built = [frame for frame in frames if _is_in(frame, BUILD)]
    if built:
        return _of_build(error, built[-1], frames)
    if isinstance(error, AssertionError) and _is_in(last, GCN_HEAD):
        return _of_head(**last.f_locals)
    # Raised by the runner or the script itself because of the config or an option.
    direct = _is_in(last, RUNNER) or _is_in(last, TOOLS)
    if direct and isinstance(error, (*ARGUMENT_ERRORS, RuntimeError)) and error.args:
        return str(error)
    return None


def _of_head(self: Any, x: Any, **others: Any) -> str:
    """Describe the bare assertion of GCNHead, for configs without CheckDataHook."""
    key, channels = "model.cls_head.in_channels", x.shape[1]
    return (
        f"{key} is {self.in_channels}, but the backbone returns {channels} channels. "
        f"Set {key} to {channels}."
    )


def _of_build(
    error: BaseException, build: FrameType, frames: list[FrameType]
) -> str | None:
    """Describe a mistake in a dictionary of the config that a registry builds."""
    local = build.f_locals
    name = local.get("obj_type") or local.get("cfg")
    name = getattr(name, "__name__", name)
    if frames[-1] is build:
        if isinstance(error, KeyError) and "obj_type" in local:
            registry = local["registry"]
            close = difflib.get_close_matches(str(name), _registered(registry), n=1)
            hint = f"Did you mean {close[0]!r}? " if close else ""
            return (
                f"type={name!r} in the config is not a registered {registry.name}. "
                f"{hint}Add the module of a custom class to custom_imports."
            )
        return f"{name}: {_text(error)}"
    inside = frames[frames.index(build) + 1 :]
    if READING & {frame.f_code.co_name for frame in inside}:
        return None
    if type(error) is AssertionError and not error.args:
        line = traceback.extract_tb(error.__traceback__)[-1].line
        return f"{name}: an argument is invalid, because `{line}` failed"
    unknown = isinstance(error, TypeError) and UNKNOWN.search(str(error))
    if unknown or (isinstance(error, ARGUMENT_ERRORS) and error.args):
        return f"{name}: {error}"
    return None


def _registered(registry: Any) -> list[str]:
    names: list[str] = []
    while registry is not None:
        names += registry.module_dict
        registry = registry.parent
    return names


def _text(error: BaseException) -> str:
    """Return the text of an error, with the class name if the text requires it."""
    if isinstance(error, SyntaxError):
        return f"SyntaxError: {_parsed(error).msg}"
    if isinstance(error, (TypeError, ValueError)) and error.args:
        return str(error)
    return traceback.format_exception_only(error)[-1].strip()


def _line(error: BaseException, file: str) -> str:
    """Return `, line N` of the config that raised the error, or "" if unknown."""
    line = _parsed(error).lineno if isinstance(error, SyntaxError) else None
    for frame, number in traceback.walk_tb(error.__traceback__):
        if frame.f_code.co_filename == file:
            line = number
    return "" if line is None else f", line {line}"


def _parsed(error: SyntaxError) -> SyntaxError:
    """Return the error of Python's parser, which MMEngine may have replaced."""
    cause = error.__context__
    return cause if isinstance(cause, SyntaxError) else error


def _is_in(frame: FrameType, path: str) -> bool:
    return path in frame.f_code.co_filename.replace("\\", "/")
