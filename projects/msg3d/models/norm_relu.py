"""BatchNorm and ReLU in training, computed per group of samples.

Used by custom autograd functions in which a matrix product follows the ReLU. They do
not store the activation. The backward pass recomputes it from the input of BatchNorm,
which is stored anyway, with one multiplication and one addition while the data is in
the cache. The arithmetic is the same as in PyTorch's BatchNorm.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from .batch_norm import require_several_values
from .by_sample import groups, most_in_group, precise


class Statistics(NamedTuple):
    """Mean, biased variance, and 1 / sqrt(var + eps), [C] each."""

    mean: Tensor
    var: Tensor
    invstd: Tensor


def batch_statistics(x: Tensor, channels: int, eps: float) -> Statistics:
    """Compute the statistics of the first `channels` channels of x [N, ..., C].

    Uses two passes: sums, then squared deviations from the mean. Sums over samples are
    float64.

    Raises:
        DataError: there is only one value per channel (kind `shape`).
    """
    require_several_values(x)
    count = x.numel() // x.shape[-1]
    dtype = precise(x.dtype)
    total = torch.zeros(channels, dtype=torch.float64)
    parts = [x[rows][..., :channels] for rows in groups(x)]
    for part in parts:
        total += part.flatten(0, -2).sum(0, dtype=dtype)
    mean = (total / count).to(dtype)
    total.zero_()
    buffer = x.new_empty(most_in_group(x), *x.shape[1:-1], channels, dtype=dtype)
    for part in parts:
        centered = torch.sub(part, mean, out=buffer[: len(part)])
        total += centered.square_().flatten(0, -2).sum(0)
    var = total / count
    return Statistics(mean, var.to(dtype), (var + eps).rsqrt().to(dtype))


def relu_backward(grad: Tensor, active: Tensor, out: Tensor) -> None:
    """Write the gradient of the input of a ReLU with output `active` to `out`."""
    torch.ops.aten.threshold_backward.grad_input(grad, active, 0, grad_input=out)


class NormRelu:
    """`relu(weight * (x - mean) * invstd + bias)` of the first channels of x.

    Args:
        x: input [N, ..., C], to be processed in the slices of `groups(x)`.
        statistics: batch statistics of x.
        weight, bias: [C'], C' <= C.
    """

    def __init__(
        self, x: Tensor, statistics: Statistics, weight: Tensor, bias: Tensor
    ) -> None:
        self.statistics, self.channels = statistics, len(weight)
        self.scale = weight * statistics.invstd
        self.shift = bias - statistics.mean * self.scale
        self._buffer = x.new_empty(
            most_in_group(x), *x.shape[1:-1], self.channels, dtype=self.scale.dtype
        )
        self.sum_grad, self.sum_product = torch.zeros(2, self.channels).double()

    def forward(self, samples: Tensor, out: Tensor) -> Tensor:
        """Write the activation of samples to `out`, and return it."""
        torch.addcmul(
            self.shift, samples[..., : self.channels], self.scale, out=out
        ).relu_()
        return out

    def backward(self, grad: Tensor, samples: Tensor) -> None:
        """Add `grad` [..., C'] of a group, after the ReLU, to the sums."""
        centered = self._buffer[: len(samples)]
        torch.sub(samples[..., : self.channels], self.statistics.mean, out=centered)
        self.sum_grad += grad.flatten(0, -2).sum(0, dtype=self.scale.dtype)
        self.sum_product += centered.mul_(grad).flatten(0, -2).sum(0)

    def finish(self, grad_x: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
        """Compute the gradient of x in place, and return those of weight and bias.

        Args:
            grad_x: [N, ..., C], after `backward` of all groups. Its first C' channels
                are overwritten with the gradient of x.
            x: [N, ..., C].
        """
        mean, _, invstd = self.statistics
        count = x.numel() // x.shape[-1]
        grad_weight = self.sum_product * invstd
        slope = -self.scale * invstd * grad_weight / count
        level = -self.scale * self.sum_grad / count - slope * mean
        slope, level = slope.to(mean.dtype), level.to(mean.dtype)
        for rows in groups(x):
            grad, samples = (v[rows][..., : self.channels] for v in (grad_x, x))
            through = self._buffer[: len(samples)]  # through mean and variance
            torch.addcmul(level, samples, slope, out=through)
            torch.addcmul(through, grad, self.scale, out=grad)
        return grad_weight.to(mean.dtype), self.sum_grad.to(mean.dtype)
