"""Checkpoints as `.safetensors`: weights and text, nothing that could be executed.

Kept are the weights and, of a checkpoint's `meta`, what is plain data: class names,
configuration, iteration. The state of optimizer and schedule is not: training is
resumed from `.pth`, and begun (`load_from`), tested and exported from either.

The format and its reader are those of the package `safetensors`, which compares every
claim of a file with its size before it takes memory. It is imported when it is needed.
"""

import json
import os
from typing import Any

from ..errors import CheckpointError
from ..io.atomic import whole_file
from ..io.file_type import SAFETENSORS, mismatch
from ..io.json_data import decode, encode
from .formats import (
    State,
)

SUFFIX = ".safetensors"
# The entry of a file's metadata that holds `meta`, as JSON.
META = "msg3d.meta"


def write_safetensors(state: State, meta: dict[str, Any], out: str) -> list[str]:
    """Weights and what they are of, whole or not at all.

    Args:
        state: tensors by name; those that share memory are each written.
        meta: of the checkpoint.
        out: `NAME.safetensors`.

    Returns:
        The keys of `meta` that are no plain data, and so are not in the file.

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
        except TypeError:
            left_out.append(key)
    content = package.save(
        {key: one.detach().cpu().contiguous() for key, one in _own(state).items()},
        {"format": "pt", META: encode(kept).decode("ascii")},
    )
    with whole_file(out) as file:
        file.write(content)
    return left_out


def read_safetensors(path: str) -> dict[str, Any]:
    """A checkpoint as MMEngine has them: dict(state_dict, meta).

    Args:
        path: a file of ours, or of anybody's weights: `meta` is empty then.

    Raises:
        CheckpointError: no such file, or a damaged one, or safetensors is not
            installed.
    """
    package = _package()
    if not os.path.isfile(path):
        raise CheckpointError(f"checkpoint {path} does not exist")
    try:
        with open(path, "rb") as file:
            content = file.read()
        state, said = package.load(content), _metadata(content).get(META)
        meta = {} if said is None else decode(said.encode("utf-8"))
        if not isinstance(meta, dict):
            raise ValueError(f"{META} is a {type(meta).__name__}")
    # The package has one class for all damage, and torch takes sizes as they are.
    except Exception as error:
        why = " ".join(str(error).split()) or type(error).__name__
        raise CheckpointError(
            f"checkpoint {path} "
            + (
                mismatch(path, SAFETENSORS)
                or f"is no safetensors file, or damaged ({why:.120}): copy or make it "
                "again"
            )
        ) from error
    return dict(state_dict=state, meta=meta)


def _metadata(content: bytes) -> dict:
    """The text of a file that the package has read already."""
    length = int.from_bytes(content[:8], "little")
    return json.loads(content[8 : 8 + length]).get("__metadata__", {})


def _own(state: State) -> State:
    """Tensors that share no memory, which the format cannot say."""
    seen: set[int] = set()
    own = {}
    for key, one in state.items():
        place = one.untyped_storage().data_ptr()
        own[key] = one.clone() if place in seen else one
        seen.add(place)
    return own


def _package():
    try:
        import safetensors.torch
    except ImportError as error:
        raise CheckpointError(
            "checkpoints that end in .safetensors need the package safetensors: pip "
            "install safetensors"
        ) from error
    return safetensors.torch
