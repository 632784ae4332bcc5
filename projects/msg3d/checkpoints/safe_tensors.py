"""Checkpoints as `.safetensors`, a format that cannot contain code.

A file contains the weights and the plain data in the checkpoint's `meta`: class names,
config, iteration. It does not contain the state of optimizer and schedule. Resuming a
run requires a `.pth` file. Initialization (`load_from`), testing, and export work with
both.

The package `safetensors`, imported when needed, reads and writes the format. Its reader
checks all sizes against the file size before it allocates memory.
"""

import json
import os
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from ..errors import CheckpointError, DataError
from ..io.atomic import whole_file
from ..io.file_type import SAFETENSORS, mismatch
from ..io.json_data import decode, encode
from .formats import State

if TYPE_CHECKING:
    import torch

SUFFIX = ".safetensors"
# Metadata entry that contains `meta` as JSON.
META = "msg3d.meta"


def write_safetensors(state: State, meta: dict[str, Any], out: str) -> list[str]:
    """Write weights and their metadata atomically.

    Args:
        state: tensors by name; tensors that share memory are written separately.
        meta: metadata of the checkpoint.
        out: `NAME.safetensors`.

    Returns:
        The keys of `meta` that are not plain data and were not written.

    Raises:
        CheckpointError: safetensors is not installed.
        OSError: the file cannot be written.
    """
    package = _package()
    kept, left_out = {}, []
    for key, value in meta.items():
        try:
            encode({key: value})
            kept[key] = value
        except DataError:
            left_out.append(key)
    content = package.save(
        {
            key: value.detach().cpu().contiguous()
            for key, value in _unshared(state).items()
        },
        {"format": "pt", META: encode(kept).decode("ascii")},
    )
    with whole_file(out) as file:
        file.write(content)
    return left_out


def read_safetensors(path: str) -> dict[str, Any]:
    """Read a `.safetensors` file as a checkpoint in MMEngine's format.

    Returns:
        dict(state_dict, meta). `meta` is empty if this package did not write the file.

    Raises:
        CheckpointError: the file does not exist or is corrupt, or safetensors is not
            installed.
    """
    package = _package()
    # Unlike Path.is_file, os.path.isfile accepts any string.
    if not os.path.isfile(path):  # noqa: PTH113
        raise CheckpointError("the file does not exist", kind="not-found", file=path)
    try:
        content = Path(path).read_bytes()
        state, text = package.load(content), _metadata(content).get(META)
        meta = {} if text is None else decode(text.encode("utf-8"))
        if not isinstance(meta, dict):
            raise TypeError(f"{META} is a {type(meta).__name__}")
    # Corrupt files raise exceptions of many types in safetensors and PyTorch.
    except Exception as error:
        why = " ".join(str(error).split()) or type(error).__name__
        raise mismatch(path, SAFETENSORS, CheckpointError) or CheckpointError(
            f"the file is corrupt or not a safetensors file ({why:.120}). Copy or "
            "create it again.",
            kind="corrupt",
            file=path,
        ) from error
    return {"state_dict": state, "meta": meta}


def read_on(
    filename: str, map_location: "str | torch.device | None" = None
) -> dict[str, Any]:
    """Read a file as dict(state_dict, meta) on a device, as MMEngine's loaders do."""
    import torch

    # Path.expanduser rejects names of unknown users.
    checkpoint = read_safetensors(os.path.expanduser(filename))  # noqa: PTH111
    if map_location is not None:
        device = torch.device(map_location)
        state = checkpoint["state_dict"]
        state = {key: value.to(device) for key, value in state.items()}
        checkpoint = dict(checkpoint, state_dict=state)
    return checkpoint


def _metadata(content: bytes) -> dict[str, str]:
    """Read the metadata from the content of a valid file."""
    length = int.from_bytes(content[:8], "little")
    metadata: dict[str, str] = json.loads(content[8 : 8 + length]).get(
        "__metadata__", {}
    )
    return metadata


def _unshared(state: State) -> State:
    """Copy tensors that share memory, which the format does not support."""
    seen: set[int] = set()
    unshared = {}
    for key, value in state.items():
        address = value.untyped_storage().data_ptr()
        unshared[key] = value.clone() if address in seen else value
        seen.add(address)
    return unshared


def _package() -> ModuleType:
    try:
        import safetensors.torch
    except ImportError as error:
        raise CheckpointError(
            ".safetensors checkpoints require the package safetensors. Install it: "
            "pip install safetensors",
            kind="missing-package",
        ) from error
    package: ModuleType = safetensors.torch
    return package
