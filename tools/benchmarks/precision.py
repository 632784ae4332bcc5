"""The number formats, and how torch is told to compute in them.

Parameters and input are float32 (float64 for float64). tf32 is float32 whose products
a GPU rounds to 10 bits of mantissa; bfloat16 and float16 are torch's autocast.
"""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import torch

AUTOCAST = {"bfloat16": torch.bfloat16, "float16": torch.float16}


def storage(name: str) -> torch.dtype:
    """Of parameters and input."""
    return torch.float64 if name == "float64" else torch.float32


def lacks(name: str, device: str) -> str | None:
    """Why this device cannot compute in that format, or None."""
    if name == "tf32" and device != "cuda":
        return "skipped: tf32 is a GPU's"
    return None


@contextmanager
def settings(name: str) -> Iterator[None]:
    """torch's switches, for everything inside.

    By default torch lets convolutions round to tf32 and matrix products not, which
    would favour the form made of convolutions: here both do, or neither.
    """
    cudnn, matmul = (
        torch.backends.cudnn.allow_tf32,
        torch.get_float32_matmul_precision(),
    )
    torch.backends.cudnn.allow_tf32 = name == "tf32"
    torch.set_float32_matmul_precision("high" if name == "tf32" else "highest")
    try:
        yield
    finally:
        torch.backends.cudnn.allow_tf32 = cudnn
        torch.set_float32_matmul_precision(matmul)


def autocast(name: str, device: str):
    """For a forward pass."""
    if name in AUTOCAST:
        return torch.autocast(device, AUTOCAST[name])
    return nullcontext()
