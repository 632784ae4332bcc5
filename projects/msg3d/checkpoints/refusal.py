"""Say in one sentence why a checkpoint cannot be read, and what to do."""

import os
import pickle
import re

from ..errors import CheckpointError, MSG3DError
from ..io import StrPath
from ..io.file_type import CHECKPOINT, mismatch


def other_type(filename: StrPath) -> MSG3DError | None:
    """The error that names the type of a file that is not a complete checkpoint."""
    # Path.expanduser refuses names of unknown users.
    path = os.path.expanduser(filename)  # noqa: PTH111
    return mismatch(path, CHECKPOINT, CheckpointError)


def refusal(filename: StrPath, error: Exception) -> MSG3DError:
    """The error that says why a checkpoint cannot be read, and what to do.

    Args:
        filename: path or URL.
        error: what reading it raised.
    """
    if isinstance(error, CheckpointError):
        return error.at(file=str(filename))
    # torch's own text takes twenty lines; the cause is in one of them.
    asked = re.search(r"GLOBAL (\S+)", str(error))
    # Annotations and scores ask for functions of NumPy and torch.
    if asked is None or asked[1].startswith(("numpy.", "torch.")):
        other = other_type(filename)
        if other is not None:
            return other
    advice = (
        "use a file that holds weights only, or, if you trust it, save its state_dict "
        "alone"
    )
    if asked:
        kind = "unsafe"
        message = f"is refused, it asks for {asked[1]}, which could run code: {advice}"
    elif isinstance(error, pickle.UnpicklingError):
        kind = "weights"
        message = f"is refused, torch's safe unpickler cannot read it: {advice}"
    else:
        kind = "truncated" if isinstance(error, EOFError) else "corrupt"
        message = (
            f"is corrupt, truncated, or not a checkpoint (reading it raised "
            f"{type(error).__name__}): copy or create it again"
        )
    return CheckpointError(message, kind=kind, file=str(filename))
