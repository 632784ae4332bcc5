"""Checkpoints hold data: files that ask for code are refused.

torch's safe unpickler (`weights_only=True`, its default since 2.6) is the only reader
of checkpoints. Here it learns the few harmless globals of MMEngine's checkpoints.
"""

import os
import pickle
import re

from ..errors import CheckpointError
from .replace import replace

STATISTICS = ("min", "max", "mean", "current")


def allow_globals() -> None:
    """Allow the training log that MMEngine's checkpoints contain (mmengine#1655).

    Allowed are the log's own class, NumPy's arrays and scalars of numbers and strings
    under the names of NumPy 1 and 2, and a `getattr` that knows the log's statistics
    and nothing else. None of them runs code that a file contains.
    """
    import numpy as np
    import torch
    from mmengine.logging.history_buffer import HistoryBuffer

    core = np._core.multiarray if hasattr(np, "_core") else np.core.multiarray
    allowed = [HistoryBuffer, np.ndarray, np.dtype]
    # Pickle asks for getattr(HistoryBuffer, "mean") where it means HistoryBuffer.mean.
    allowed.append((_log_statistic, "builtins.getattr"))
    for package in ("numpy.core.multiarray", "numpy._core.multiarray"):
        allowed.append((core._reconstruct, f"{package}._reconstruct"))
        allowed.append((core.scalar, f"{package}.scalar"))
    codes = f"?{np.typecodes['AllInteger']}{np.typecodes['AllFloat']}SU"
    allowed += {type(np.dtype(code)) for code in codes}
    torch.serialization.add_safe_globals(allowed)


def _log_statistic(owner, name):
    """The `getattr` of checkpoints."""
    from mmengine.logging.history_buffer import HistoryBuffer

    if owner is HistoryBuffer and name in STATISTICS:
        return getattr(HistoryBuffer, name)
    # In the words of torch, which puts its own text around them (see `refusal`).
    raise pickle.UnpicklingError(
        f"Unsupported GLOBAL builtins.getattr for {name!r} of {owner!r}"
    )


def load_urls_safely() -> None:
    """Read a checkpoint from a URL as safely as one from a file.

    MMEngine loads these with `torch.hub.load_state_dict_from_url`, whose default is
    still `weights_only=False`: it would execute what the downloaded file asks for.
    """
    import inspect

    from mmengine.runner import checkpoint

    default = inspect.signature(checkpoint.load_url).parameters["weights_only"].default
    if default is not True:
        replace(checkpoint, "load_url", _weights_only)


def _weights_only(load_url):
    def load(*args, **kwargs):
        return load_url(*args, **{**kwargs, "weights_only": True})

    return load


def name_refused() -> None:
    """Raise one sentence that names a refused checkpoint and what it asked for.

    torch's own text fills a screen, does not name the file, and advises to read it with
    `weights_only=False`.
    """
    from mmengine.runner.checkpoint import CheckpointLoader

    replace(CheckpointLoader, "load_checkpoint", _one_sentence)
    CheckpointLoader.load_checkpoint = staticmethod(CheckpointLoader.load_checkpoint)


def _one_sentence(load_checkpoint):
    def load(filename, *args, **kwargs):
        try:
            checkpoint = load_checkpoint(filename, *args, **kwargs)
        except ImportError:
            raise  # no such backend: the error says so
        # Damage raises whatever the part of torch that meets it raises.
        except Exception as error:
            if isinstance(error, OSError) and _other_type(filename) is None:
                raise  # no such file, for example; torch also raises it for damage
            raise refusal(filename, error) from None
        if not isinstance(checkpoint, dict):
            raise CheckpointError(
                f"holds a {type(checkpoint).__name__}, expected a dictionary with the "
                "weights: save the model's state_dict()",
                kind="weights",
                file=str(filename),
            )
        return checkpoint

    return load


def _other_type(filename) -> CheckpointError | None:
    """The error that names the type of a file that is not a complete checkpoint."""
    from ..io.file_type import CHECKPOINT, mismatch

    return mismatch(os.path.expanduser(filename), CHECKPOINT, CheckpointError)


def refusal(filename, error: Exception) -> CheckpointError:
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
        other = _other_type(filename)
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
