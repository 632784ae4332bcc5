"""Collapse of each window into one frame: BatchNorm, ReLU, and a linear map.

    out[t, u] = b + W relu(norm(z[t, u]))

where z[t, u], [wC], contains the w frames of joint u in window t.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from .batch_norm import batch_norm, keep_statistics, uses_batch_statistics
from .by_sample import as_multiplied, by_sample, groups
from .norm_relu import NormRelu, Statistics, batch_statistics


def collapse(z: Tensor, norm: nn.BatchNorm2d, weight: Tensor, bias: Tensor) -> Tensor:
    """Collapse the w frames of each window into one frame.

    Args:
        z: [N, T, V, w, C].
        norm: BatchNorm over C.
        weight: [O, wC].
        bias: [O].

    Returns:
        [N, T, V, O].
    """
    if not (uses_batch_statistics([norm]) and by_sample(z)):
        return F.linear(batch_norm([norm], z, relu=True).flatten(3), weight, bias)
    z = z.contiguous()  # the whole-batch form of `graph_conv` returns a permuted view
    statistics = batch_statistics(z.detach(), norm.num_features, norm.eps)
    keep_statistics([norm], *statistics[:2], z.numel() // norm.num_features)
    weight, bias = as_multiplied(weight, bias)
    return NormReluLinear.apply(z, *statistics, norm.weight, norm.bias, weight, bias)


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
        with torch.autocast("cpu", enabled=False):
            for rows in groups(z):
                active = activation.forward(z[rows]).to(weight.dtype)
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
        grad_bias = grad.sum((0, 1), dtype=gamma.dtype)
        with torch.autocast("cpu", enabled=False):
            for rows in groups(z):
                active = activation.forward(z[rows]).to(weight.dtype)
                grad_rows, result = grad_z[rows], grad[rows].flatten(0, 1)  # (NTV, O)
                grad_weight += result.T @ active.view(-1, weight.shape[1])
                if grad_rows.dtype == weight.dtype:
                    flat = grad_rows.view(-1, weight.shape[1])
                    torch.mm(result, weight, out=flat)
                else:
                    grad_rows.copy_((result @ weight).view_as(grad_rows))
                activation.backward(grad_rows, z[rows])
            grad_gamma, grad_beta = activation.finish(grad_z, z)
        grad_weight, grad_bias = (v.to(weight.dtype) for v in (grad_weight, grad_bias))
        return (grad_z, None, None, None, grad_gamma, grad_beta, grad_weight, grad_bias)
