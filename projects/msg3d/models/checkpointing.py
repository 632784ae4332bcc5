"""Gradient checkpointing that counts each batch once."""

import contextlib
from collections.abc import Iterator
from contextlib import AbstractContextManager

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.checkpoint import checkpoint


def checkpointed(part: nn.Module, x: Tensor) -> Tensor:
    """`part(x)`, of which only x is stored; computed again in the backward pass.

    torch's checkpoint alone would move the running statistics of BatchNorm a second
    time. Dropout draws the same numbers in both passes.
    """

    def contexts() -> tuple[AbstractContextManager, AbstractContextManager]:
        return contextlib.nullcontext(), frozen_statistics(part)

    return checkpoint(part, x, use_reentrant=False, context_fn=contexts)


@contextlib.contextmanager
def frozen_statistics(module: nn.Module) -> Iterator[None]:
    """Within, BatchNorms in training leave running statistics and counts as they are."""
    kept = [
        (norm, norm.momentum, batches, batches.clone())
        for norm in module.modules()
        if isinstance(norm, _BatchNorm) and norm.training
        # None without running statistics.
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
