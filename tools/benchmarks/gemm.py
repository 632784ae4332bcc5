"""The machine's rate of matrix products: what the arithmetic alone would allow."""

from collections.abc import Callable

import torch

from .precision import AUTOCAST, storage

GEMM = "gemm"  # its name among the networks
SIZE = {"cpu": 2048, "cuda": 8192}


def gemm_step(dtype: str, device: str) -> tuple[Callable, int]:
    """A product of two square matrices in that format, and its FLOPs.

    Two FLOPs a multiply and add. It is timed in turn with the networks, so that it
    meets the same busy minutes.
    """
    size = SIZE[device]
    generator = torch.Generator().manual_seed(0)
    left = torch.randn(size, size, generator=generator)
    left = left.to(device, AUTOCAST.get(dtype, storage(dtype)))
    right, out = left.T.contiguous(), torch.empty_like(left)
    return lambda: torch.mm(left, right, out=out), 2 * size**3
