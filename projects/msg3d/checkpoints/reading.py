"""Loading weights from untrusted files without executing code."""

import io
import os
from typing import Any

import torch
from torch import Tensor

from ..errors import CheckpointError
from .formats import State
from .read_errors import read_error
from .safe_tensors import SUFFIX, read_safetensors

# Keys under which training scripts store the weights.
NESTED = ("state_dict", "model_state_dict", "model", "net", "weights")


class BoundedFile(io.BufferedReader):
    """Binary file that rejects reads beyond its end before memory is allocated.

    Checkpoints in PyTorch's legacy format (before 1.6) contain lengths, and PyTorch
    allocates as much memory as they specify.

    Raises:
        OSError: the file cannot be opened.
        EOFError: a read exceeds the end of the file.
    """

    def __init__(self, path: str) -> None:
        super().__init__(io.FileIO(path))
        self._size = os.fstat(self.fileno()).st_size

    def read(self, count: int | None = -1) -> bytes:
        if count is not None and count > max(self._size - self.tell(), 2**16):
            raise EOFError(
                f"{count} bytes expected, {self._size - self.tell()} available"
            )
        return super().read(count)


def read_state(source: str) -> State:
    """Read the weights of a checkpoint, by name, without executing code.

    Raises:
        CheckpointError: the file does not exist, contains no weights, or requires
            executing code.
    """
    return state_of(read_data(source), source)


def read_data(source: str) -> Any:
    """Read the content of a checkpoint without executing code.

    Returns:
        The object that the file contains; for `.safetensors`, dict(state_dict, meta).

    Raises:
        CheckpointError: the file does not exist, is corrupt, or requires executing
            code.
    """
    if source.endswith(SUFFIX):
        return read_safetensors(source)
    # Unlike Path.is_file, os.path.isfile accepts any string.
    if not os.path.isfile(source):  # noqa: PTH113
        raise CheckpointError("the file does not exist", kind="not-found", file=source)
    try:
        return load_bounded(source, "cpu")
    except Exception as error:
        raise read_error(source, error) from None


def load_bounded(path: str, map_location: Any = None) -> Any:
    """Load a local torch checkpoint as MMEngine does, but from a `BoundedFile`."""
    # Path.expanduser rejects names of unknown users.
    with BoundedFile(os.path.expanduser(path)) as file:  # noqa: PTH111
        return torch.load(file, map_location=map_location, weights_only=True)


def state_of(data: Any, source: str) -> State:
    """Return the weights, by name, in the content of a checkpoint.

    Raises:
        CheckpointError: there are no weights, or a tensor is larger than its storage
            (kind `weights`).
    """
    for key in NESTED:
        if isinstance(data, dict) and isinstance(data.get(key), dict):
            data = data[key]
            break
    if not isinstance(data, dict) or not data:
        raise CheckpointError(
            f"the file contains {'an empty' if isinstance(data, dict) else 'a'} "
            f"{type(data).__name__}, expected a state dict",
            kind="weights",
            file=source,
        )
    for key, value in data.items():
        if not isinstance(value, Tensor):
            raise CheckpointError(
                f"{key!r:.80} is a {type(value).__name__}, expected a tensor",
                kind="weights",
                file=source,
            )
        if not isinstance(key, str) or not _is_complete(value):
            raise CheckpointError(
                f"{key!r:.80} is not a plain tensor whose values are all in the file. "
                "Save the model's state_dict() with torch.save.",
                kind="weights",
                file=source,
            )
    # DataParallel and DDP add this prefix to all names.
    return {key.removeprefix("module."): value for key, value in data.items()}


def first_mismatch(expected: State, state: State) -> str:
    """Describe the first difference between the weights of a network and of a file.

    Args:
        expected: `state_dict()` of the network.
        state: weights of the file.

    Returns:
        The entry that is missing, unexpected, or of another shape; "" if all match.
    """
    for key, value in expected.items():
        if key not in state:
            return f"{key} is missing"
        if state[key].shape != value.shape:
            return (
                f"{key} has shape {tuple(state[key].shape)}, expected "
                f"{tuple(value.shape)}"
            )
    extra = next((key for key in state if key not in expected), None)
    return "" if extra is None else f"{extra} is unexpected"


def _is_complete(value: Tensor) -> bool:
    """Return whether the storage contains all values (expanded views do not)."""
    return (
        value.layout == torch.strided
        and value.device.type == "cpu"
        and not value.is_quantized
        and value.numel() * value.element_size() <= value.untyped_storage().nbytes()
    )
