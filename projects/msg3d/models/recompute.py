"""Functions that store only their inputs for the backward pass.

The backward pass calls the function again and differentiates it. This pays where
operations are cheap compared with the memory of their results: normalization,
activations, and small convolutions. Source: Chen et al., "Training Deep Nets with
Sublinear Memory Cost", 2016, https://arxiv.org/abs/1604.06174.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.utils.checkpoint import checkpoint

from .by_sample import in_graph, without_autocast


def recomputed(function: Callable[..., Any], *tensors: Tensor) -> Any:
    """Return `function(*tensors)`, storing only `tensors` for the backward pass.

    If gradients are enabled, autocast does not apply to `function` in eager mode.

    Args:
        function: returns a tensor, or a tuple of tensors of which only the first is
            differentiated. It must not depend on other tensors that require gradients,
            have side effects, or use random numbers.
        *tensors: arguments of `function`.
    """
    if not torch.is_grad_enabled() or torch.jit.is_tracing() or _is_exporting():
        return function(*tensors)
    if in_graph():  # marks what the compiler must compute again
        return checkpoint(function, *tensors, use_reentrant=False)
    return _Recomputed.apply(function, *tensors)


def _is_exporting() -> bool:
    # PyTorch 2.6 does not have the function.
    return getattr(torch.compiler, "is_exporting", lambda: False)()


class _Recomputed(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, function: Callable[..., Any], *tensors: Tensor) -> Any:
        ctx.function = function
        ctx.save_for_backward(*tensors)
        with without_autocast(tensors[0]):
            out = function(*tensors)
        if isinstance(out, tuple):
            ctx.mark_non_differentiable(*out[1:])
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor, *_: Tensor) -> tuple[Tensor | None, ...]:
        tensors = [tensor.detach() for tensor in ctx.saved_tensors]
        inputs = [
            tensor.requires_grad_()
            for tensor, needed in zip(tensors, ctx.needs_input_grad[1:], strict=True)
            if needed
        ]
        with torch.enable_grad(), without_autocast(tensors[0]):
            out = ctx.function(*tensors)
            out = out[0] if isinstance(out, tuple) else out
        grads = iter(torch.autograd.grad(out, inputs, grad))
        return None, *(next(grads) if n else None for n in ctx.needs_input_grad[1:])
