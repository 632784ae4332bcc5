"""Dropout whose random numbers are cheap on CPUs.

    y = x * mask / q,   q = P(mask = 1) = 1 - p

PyTorch's dropout draws a random number of 24 bits or more per element, one at a time. On
a CPU this takes more time than the matrix product before it. Here 64 random bits decide
on four elements, and the backward pass draws the same bits again from a seed, so nothing
is stored. The probability is exact to 2^-17. Seeds come from PyTorch's default generator.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .by_sample import in_graph, precise

LEVELS = 1 << 16  # of the random number that is compared with p
# Axes of x [N, T, V, C] along which the mask is constant, by position.
SHARED_AXES = {"input": (), "joints": (1, 3), "channels": (1, 2)}


class Dropout(nn.Dropout):
    """`nn.Dropout` with cheaper random numbers on CPUs.

    On other devices, and in compiled and exported networks, it is `nn.Dropout`.
    """

    def forward(self, x: Tensor, shared: tuple[int, ...] = ()) -> Tensor:
        """Apply dropout in training mode.

        Args:
            x: any shape.
            shared: axes along which the mask is constant.
        """
        if not (self.training and self.p):
            return x
        if shared:
            size = [1 if axis in shared else n for axis, n in enumerate(x.shape)]
            return x * F.dropout(x.new_ones(size), self.p)
        if in_graph() or x.device.type != "cpu" or self.p == 1:
            return F.dropout(x, self.p)
        seed = torch.randint((1 << 63) - 1, ())
        return _Dropped.apply(x, self.p, int(seed))


class _Dropped(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, p: float, seed: int) -> Tensor:
        ctx.options = p, seed
        return _dropped(x, p, seed)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
        return _Dropped.apply(grad, *ctx.options), None, None  # twice differentiable


def _dropped(x: Tensor, p: float, seed: int) -> Tensor:
    """Return x * mask / q with the mask of a seed."""
    generator = torch.Generator().manual_seed(seed)
    words = torch.empty(-(-x.numel() // 4), dtype=torch.int64)
    words.random_(-(1 << 63), None, generator=generator)
    lanes = words.view(torch.int16)[: x.numel()].view(x.shape)
    dropped = min(round(p * LEVELS), LEVELS - 1)
    values = x.to(precise(x.dtype)).contiguous()
    # NOTE: this operator is x where lanes > limit, otherwise 0, and faster than others.
    limit = dropped - LEVELS // 2 - 1
    values = torch.ops.aten.threshold_backward(values, lanes.to(values.dtype), limit)
    return values.mul_(LEVELS / (LEVELS - dropped)).to(x.dtype)
