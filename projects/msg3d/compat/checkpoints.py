"""Checkpoints hold data: whatever asks for code is refused.

torch's safe unpickler (`weights_only=True`, its default since 2.6) is the only reader
of checkpoints. Here it learns the few harmless globals of MMEngine's checkpoints.
"""

import os
import pickle
import re

from .replace import replace

STATISTICS = ("min", "max", "mean", "current")


def allow_globals() -> None:
    """MMEngine's checkpoints hold the training log beside the weights (mmengine#1655).

    Allowed: the log's own class, NumPy's arrays and scalars of numbers and strings
    under the names of NumPy 1 and 2, and a `getattr` that knows the log's statistics
    and nothing else. None of them runs code that a file brings.
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
    raise pickle.UnpicklingError(
        f"Unsupported GLOBAL builtins.getattr for {name!r} of {owner!r}"
    )


def load_urls_safely() -> None:
    """A checkpoint from a URL is read as safely as one from a file.

    MMEngine loads these by `torch.hub.load_state_dict_from_url`, whose default is
    still `weights_only=False`: it would run what the downloaded file asks for.
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
    """A refused checkpoint is named in one sentence, with what it asked for.

    torch's own text is a screen long, does not name the file, and advises to read it
    with `weights_only=False`.
    """
    from mmengine.runner.checkpoint import CheckpointLoader

    replace(CheckpointLoader, "load_checkpoint", _one_sentence)
    CheckpointLoader.load_checkpoint = staticmethod(CheckpointLoader.load_checkpoint)


def _one_sentence(load_checkpoint):
    def load(filename, *args, **kwargs):
        try:
            found = load_checkpoint(filename, *args, **kwargs)
        except ImportError:
            raise  # no such backend: that says so
        # Damage raises whatever the part of torch that meets it raises.
        except Exception as error:
            if isinstance(error, OSError) and other_kind(filename) is None:
                raise  # no such file, say; torch has them for some damage as well
            raise pickle.UnpicklingError(refusal(filename, error)) from None
        if not isinstance(found, dict):
            raise pickle.UnpicklingError(
                f"checkpoint {filename} holds a {type(found).__name__}, expected a "
                "dictionary with the weights: save the model's state_dict()"
            )
        return found

    return load


def load_safetensors() -> None:
    """`--checkpoint`, `load_from` and `Recognizer` take `NAME.safetensors` as well."""
    from mmengine.runner.checkpoint import CheckpointLoader

    # A regular expression; those of the other schemes are tried first.
    CheckpointLoader.register_scheme(r".*\.safetensors$", load_from_safetensors, True)


def load_from_safetensors(filename, map_location=None):
    """As MMEngine's loaders: dict(state_dict, meta), on the device asked for."""
    import torch

    from ..checkpoints.safe_tensors import read_safetensors

    found = read_safetensors(os.path.expanduser(filename))
    if map_location is not None:
        device = torch.device(map_location)
        state = {key: one.to(device) for key, one in found["state_dict"].items()}
        found = dict(found, state_dict=state)
    return found


def other_kind(filename: str) -> str | None:
    """What a file is, as said behind its name, that is no checkpoint or a part of one."""
    from ..io.file_type import CHECKPOINT, mismatch

    return mismatch(os.path.expanduser(filename), CHECKPOINT)


def refusal(filename, error: Exception) -> str:
    """The sentence that says why a checkpoint is refused and what to do."""
    if type(error).__name__ == "CheckpointError":
        return str(error)
    # torch's own text takes twenty lines; the cause is in one of them.
    asked = re.search(r"GLOBAL (\S+)", str(error))
    said = other_kind(filename)
    # Annotations and scores ask for NumPy's and torch's functions.
    if said and (asked is None or asked[1].startswith(("numpy.", "torch."))):
        return f"checkpoint {filename} {said}"
    if asked:
        reason = f"it asks for {asked[1]}, which could run code"
    elif isinstance(error, pickle.UnpicklingError):
        reason = "torch's safe unpickler cannot read it"
    else:
        return (
            f"checkpoint {filename} is damaged, cut off or none ({type(error).__name__} "
            "as it is read): copy or make it again"
        )
    return (
        f"checkpoint {filename} is refused, {reason}: use a file that holds weights "
        "only, or save its state_dict alone where you trust it"
    )
