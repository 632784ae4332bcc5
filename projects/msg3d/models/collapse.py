"""Collapse of each window into one frame: BatchNorm, ReLU, linear map, and BatchNorm.

    out[t, u] = out_norm(b + W relu(norm(z[t, u])))

where z[t, u], [wC], contains the w frames of joint u in window t.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from .batch_norm import (
    batch_norm,
    keep_statistics,
    normalize,
    uses_batch_statistics,
)
from .by_sample import (
    as_multiplied,
    by_sample,
    channel_sums,
    groups,
    most_in_group,
    without_autocast,
)
from .norm_relu import NormRelu, Statistics, batch_statistics, relu_backward
from .recompute import recomputed


def collapse(
    z: Tensor,
    norm: nn.BatchNorm2d,
    weight: Tensor,
    bias: Tensor,
    out_norm: nn.BatchNorm2d,
) -> Tensor:
    """Collapse the w frames of each window into one frame.

    Args:
        z: [N, T, V, w, C].
        norm: BatchNorm over C.
        weight: [O, wC].
        bias: [O].
        out_norm: BatchNorm over O.

    Returns:
        [N, T, V, O].
    """
    if not all(uses_batch_statistics([n]) for n in (norm, out_norm)):
        x = F.linear(batch_norm([norm], z, relu=True).flatten(3), weight, bias)
        return batch_norm([out_norm], x)
    z = z.contiguous()
    tensors = norm.weight, norm.bias, *as_multiplied(weight, bias)
    if by_sample(z):
        statistics = batch_statistics(z.detach(), norm.num_features, norm.eps)
        keep_statistics([norm], *statistics[:2], z.numel() // norm.num_features)
        out = NormReluLinear.apply(z, *statistics, *tensors)
        return batch_norm([out_norm], out)

    def run(z: Tensor, *tensors: Tensor) -> tuple[Tensor, ...]:
        gamma, beta, weight, bias, out_gamma, out_beta = tensors
        active, *inner = normalize(z, gamma, beta, norm.eps, relu=True)
        active = active.flatten(3).to(weight.dtype)
        out, *outer = normalize(
            F.linear(active, weight, bias), out_gamma, out_beta, out_norm.eps
        )
        return out, *inner, *outer

    out, mean, var, out_mean, out_var = recomputed(
        run, z, *tensors, out_norm.weight, out_norm.bias
    )
    keep_statistics([norm], mean, var, z.numel() // norm.num_features)
    keep_statistics([out_norm], out_mean, out_var, z.shape[:3].numel())
    return out


class NormReluLinear(torch.autograd.Function):
    """Memory-saving collapse that is computed per group and stores only z.

    `apply(z, mean, var, invstd, gamma, beta, weight, bias)` expects z [N, T, V, w, C]
    and its batch statistics. The gradient of z includes that through the statistics.
    """

    @staticmethod
    def forward(
        ctx: Any,
        z: Tensor,
        mean: Tensor,
        var: Tensor,
        invstd: Tensor,
        gamma: Tensor,
        beta: Tensor,
        weight: Tensor,
        bias: Tensor,
    ) -> Tensor:
        ctx.save_for_backward(z, mean, var, invstd, gamma, beta, weight)
        activation = NormRelu(z, Statistics(mean, var, invstd), gamma, beta)
        out = weight.new_empty(*z.shape[:3], len(bias))
        buffer = weight.new_empty(most_in_group(z), *z.shape[1:])
        with without_autocast(z):
            for rows in groups(z):
                active = activation.forward(z[rows], buffer[: len(z[rows])])
                active = active.view(-1, weight.shape[1])  # (NTV, wC)
                torch.addmm(bias, active, weight.T, out=out[rows].flatten(0, 2))
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        z, mean, var, invstd, gamma, beta, weight = ctx.saved_tensors
        activation = NormRelu(z, Statistics(mean, var, invstd), gamma, beta)
        grad = grad.contiguous().flatten(1, 2)  # (N, TV, O)
        grad_z = torch.empty_like(z)
        grad_weight = torch.zeros_like(weight, dtype=gamma.dtype)
        grad_bias = channel_sums(grad)
        buffers = weight.new_empty(2, most_in_group(z), *z.shape[1:])
        with without_autocast(z):
            for rows in groups(z):
                active, grad_active = buffers[:, : len(z[rows])]
                activation.forward(z[rows], active)
                result = grad[rows].flatten(0, 1)  # (NTV, O)
                grad_weight += result.T @ active.view(-1, weight.shape[1])
                torch.mm(result, weight, out=grad_active.view(-1, weight.shape[1]))
                if z.dtype != weight.dtype:
                    active, grad_active = active.to(z.dtype), grad_active.to(z.dtype)
                relu_backward(grad_active, active, grad_z[rows])
                activation.backward(grad_z[rows], z[rows])
            grad_gamma, grad_beta = activation.finish(grad_z, z)
        grad_weight, grad_bias = (v.to(weight.dtype) for v in (grad_weight, grad_bias))
        return (grad_z, None, None, None, grad_gamma, grad_beta, grad_weight, grad_bias)
