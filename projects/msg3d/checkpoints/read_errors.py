"""Errors for checkpoints that cannot be read."""

import os
import pickle
import re

from ..errors import CheckpointError, MSG3DError
from ..io import StrPath
from ..io.file_type import CHECKPOINT, mismatch


def other_type(filename: StrPath) -> MSG3DError | None:
    """Return an error with the actual type of a file that is not a checkpoint."""
    # Path.expanduser rejects names of unknown users.
    path = os.path.expanduser(filename)  # noqa: PTH111
    return mismatch(path, CHECKPOINT, CheckpointError)


def read_error(filename: StrPath, error: Exception) -> MSG3DError:
    """Return an error that explains why a checkpoint cannot be read, and the fix.

    Args:
        filename: path or URL.
        error: exception raised while reading it.
    """
    if isinstance(error, CheckpointError):
        return error.at(file=str(filename))
    # torch's message has twenty lines, one of which contains the cause.
    requested = re.search(r"GLOBAL (\S+)", str(error))
    # Annotation and score files import functions of NumPy and torch.
    if requested is None or requested[1].startswith(("numpy.", "torch.")):
        other = other_type(filename)
        if other is not None:
            return other
    advice = (
        "use a file that contains only weights, or, if you trust it, save only its "
        "state_dict"
    )
    if requested:
        kind = "unsafe"
        message = f"imports {requested[1]}, which could execute code: {advice}"
    elif isinstance(error, pickle.UnpicklingError):
        kind = "weights"
        message = f"cannot be read by torch's safe unpickler: {advice}"
    else:
        kind = "truncated" if isinstance(error, EOFError) else "corrupt"
        message = (
            f"is corrupt, truncated, or not a checkpoint (reading it raised "
            f"{type(error).__name__}): copy or create it again"
        )
    return CheckpointError(message, kind=kind, file=str(filename))
