"""Weights out of files of any origin, executing nothing of them."""

import os
from typing import Any

import torch
from torch import Tensor

from ..compat.checkpoints import refusal
from ..errors import CheckpointError
from .bounded_file import BoundedFile
from .formats import (
    State,
)
from .safe_tensors import SUFFIX, read_safetensors

# Where training scripts put the weights beside other things.
NESTED = ("state_dict", "model_state_dict", "model", "net", "weights")


def read_state(source: str) -> State:
    """The weights of a file, executing nothing of it.

    Raises:
        CheckpointError: no such file, not weights, or code in it.
    """
    return state_of(read_data(source), source)


def read_data(source: str) -> Any:
    """What a file holds, of `.safetensors` as dict(state_dict, meta).

    Raises:
        CheckpointError: no such file, or damaged, or code in it.
    """
    if source.endswith(SUFFIX):
        return read_safetensors(source)
    if not os.path.isfile(source):
        raise CheckpointError(f"checkpoint {source} does not exist")
    try:
        with BoundedFile(source) as file:
            data = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:
        raise CheckpointError(refusal(source, error)) from None
    return data


def state_of(data: Any, source: str) -> State:
    """The weights in what a checkpoint holds, each as large as it says.

    Raises:
        CheckpointError: there are none, or one claims more numbers than it brings.
    """
    for key in NESTED:
        if isinstance(data, dict) and isinstance(data.get(key), dict):
            data = data[key]
            break
    if not isinstance(data, dict) or not data:
        raise CheckpointError(
            f"checkpoint {source} holds a {type(data).__name__}: expected a state dict"
        )
    wrong = [key for key, one in data.items() if not isinstance(one, Tensor)]
    if wrong:
        raise CheckpointError(
            f"checkpoint {source}: {wrong[0]!r} is a {type(data[wrong[0]]).__name__}: "
            "expected tensors by name"
        )
    for key, one in data.items():
        if not isinstance(key, str) or not is_whole(one):
            raise CheckpointError(
                f"checkpoint {source}: {key!r:.80} is no plain tensor of numbers that are "
                "all in the file: save its state_dict() with torch.save"
            )
    # DataParallel and DDP put this before every name.
    return {key.removeprefix("module."): one for key, one in data.items()}


def is_whole(one: Tensor) -> bool:
    """Whether its numbers are there: a view can claim one number a billion times."""
    return (
        one.layout == torch.strided
        and one.device.type == "cpu"
        and not one.is_quantized
        and one.numel() * one.element_size() <= one.untyped_storage().nbytes()
    )
