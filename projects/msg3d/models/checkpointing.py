"""Gradient checkpointing that updates BatchNorm statistics once per batch."""

import contextlib
from collections.abc import Iterator
from contextlib import AbstractContextManager

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.checkpoint import checkpoint


def checkpointed(part: nn.Module, x: Tensor) -> Tensor:
    """Compute `part(x)`, storing only x and recomputing the rest in the backward pass.

    With PyTorch's `checkpoint` alone, the recomputation would update the running
    statistics of BatchNorm again. Dropout uses the same mask in both passes.
    """

    def contexts() -> tuple[AbstractContextManager, AbstractContextManager]:
        return contextlib.nullcontext(), frozen_statistics(part)

    return checkpoint(part, x, use_reentrant=False, context_fn=contexts)


@contextlib.contextmanager
def frozen_statistics(module: nn.Module) -> Iterator[None]:
    """Freeze running statistics and batch counts of BatchNorms in training mode."""
    kept = [
        (norm, norm.momentum, batches, batches.clone())
        for norm in module.modules()
        if isinstance(norm, _BatchNorm) and norm.training
        # None if the norm has no running statistics.
        if (batches := norm.num_batches_tracked) is not None
    ]
    for norm, *_ in kept:
        norm.momentum = 0.0
    try:
        yield
    finally:
        for norm, momentum, batches, before in kept:
            norm.momentum = momentum
            batches.copy_(before)
