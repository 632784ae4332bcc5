"""BatchNorm and ReLU in training, computed per group of samples.

Used by custom autograd functions in which a matrix product follows the ReLU. They do
not store the activation. The backward pass recomputes it from the input of BatchNorm,
which is stored anyway, with one multiplication and one addition while the data is in
the cache. The arithmetic is the same as in PyTorch's BatchNorm.

In bfloat16 and float16, an operator with float32 statistics would first convert its input
to float32. PyTorch's BatchNorm computes in float32 without this copy, and is used instead.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from .batch_norm import as_image, require_several_values
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
    if dtype != x.dtype:
        return _joined_statistics(x, channels, eps)
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


def _joined_statistics(x: Tensor, channels: int, eps: float) -> Statistics:
    """Compute the statistics of each group with PyTorch, and join them in float64."""
    zeros = torch.zeros(x.shape[-1])  # running statistics, whose dtype the results have
    rows = groups(x)
    parts = [
        torch.batch_norm_update_stats(as_image(x[part]), zeros, zeros, 0.0)
        for part in rows
    ]
    means, variances = (
        torch.stack(v).double()[:, :channels] for v in zip(*parts, strict=True)
    )
    shares = torch.tensor([len(x[part]) / len(x) for part in rows]).double()[:, None]
    mean = (shares * means).sum(0)
    var = (shares * (variances + (means - mean).square())).sum(0)
    return Statistics(mean.float(), var.float(), (var + eps).rsqrt().float())


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
        weight, bias = (v.to(statistics.mean.dtype) for v in (weight, bias))
        self.scale = weight * statistics.invstd
        self.shift = bias - statistics.mean * self.scale
        self.sum_grad, self.sum_product = torch.zeros(2, self.channels).double()
        self._converts = x.dtype != self.scale.dtype
        if self._converts:
            # Parameters of all channels of x. Unused results are cheaper than copies.
            unused = (0, x.shape[-1] - self.channels)
            self._weight, self._bias = F.pad(weight, unused), F.pad(bias, unused)
            self._mean = F.pad(statistics.mean, unused)
            self._invstd = F.pad(statistics.invstd, unused, value=1.0)
            return
        self._buffer = x.new_empty(
            most_in_group(x), *x.shape[1:-1], self.channels, dtype=self.scale.dtype
        )

    def forward(self, samples: Tensor, out: Tensor) -> Tensor:
        """Write the activation of samples to `out`, and return it."""
        if self._converts:
            var = self._invstd.square().reciprocal()
            image = F.batch_norm(
                as_image(samples), self._mean, var, self._weight, self._bias, eps=0.0
            )
            active = image.permute(0, 2, 3, 1).view(samples.shape)
            return torch.clamp_min(active[..., : self.channels], 0, out=out)
        torch.addcmul(
            self.shift, samples[..., : self.channels], self.scale, out=out
        ).relu_()
        return out

    def backward(self, grad: Tensor, samples: Tensor) -> None:
        """Add `grad` [..., C'] of a group, after the ReLU, to the sums."""
        if self._converts:
            return  # `finish` computes the sums
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
        if self._converts:
            image, *grads = torch.ops.aten.native_batch_norm_backward(
                *(as_image(grad_x), as_image(x), self._weight, None, None),
                *(self._mean, self._invstd, True, 0.0, (True, True, True)),
            )
            grad = image.permute(0, 2, 3, 1).view(grad_x.shape)
            grad_x[..., : self.channels] = grad[..., : self.channels]
            grad_weight, grad_bias = (grad[: self.channels] for grad in grads)
            return grad_weight, grad_bias
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
