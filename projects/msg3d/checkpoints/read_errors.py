"""Errors for checkpoints that cannot be read."""

import os
import pickle
import re

from ..errors import CheckpointError, MSG3DError
from ..io import StrPath
from ..io.file_type import CHECKPOINT, mismatch


def other_type(filename: StrPath) -> MSG3DError | None:
    """Return an error with the actual type of a file, or None for checkpoints."""
    # Path.expanduser rejects names of unknown users.
    path = os.path.expanduser(filename)  # noqa: PTH111
    return mismatch(path, CHECKPOINT, CheckpointError)


def read_error(filename: StrPath, error: Exception) -> MSG3DError:
    """Return an error with the cause and the fix for an unreadable checkpoint.

    Args:
        filename: path or URL.
        error: exception raised while reading it.
    """
    if isinstance(error, CheckpointError):
        return error.at(file=str(filename))
    # PyTorch's message has twenty lines, one of which contains the cause.
    requested = re.search(r"GLOBAL (\S+)", str(error))
    # Annotation and score files import functions of NumPy and torch.
    if requested is None or requested[1].startswith(("numpy.", "torch.")):
        other = other_type(filename)
        if other is not None:
            return other
    advice = (
        "Use a file that contains only weights. If you trust this file, load it in the "
        "environment that wrote it, and save only its state_dict()."
    )
    if requested:
        kind = "unsafe"
        message = f"the file imports {requested[1]}, which could execute code. {advice}"
    elif isinstance(error, pickle.UnpicklingError):
        kind = "weights"
        message = f"the file cannot be read by PyTorch's safe unpickler. {advice}"
    else:
        kind = "truncated" if isinstance(error, EOFError) else "corrupt"
        message = (
            "the file is corrupt, truncated, or not a checkpoint (reading it raised "
            f"{type(error).__name__}). Copy or create it again."
        )
    return CheckpointError(message, kind=kind, file=str(filename))
