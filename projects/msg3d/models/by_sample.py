"""Choice between whole-batch operators and loops over samples.

On CPUs, memory bandwidth is the bottleneck. A batch of 16 creates tensors of 40 to
200 MB. They leave the cache before they are read again, and their allocation causes a
page fault per 4 kB. The tensors of one sample stay in the cache, and all samples share
one buffer. Accelerators, compilers, and exporters instead need few large operators.
Operators therefore have up to three equivalent forms: a loop over groups of samples, one
group for the whole batch, and plain PyTorch for compilers and exporters.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import torch
from torch import Tensor

# Elements per sample above which a loop is faster. With fewer, the interpreter overhead
# of each call exceeds the computation.
MIN_ELEMENTS = 16_384

# Elements per group of samples: smaller groups add overhead, larger leave the cache.
GROUP_ELEMENTS = 1_000_000


def by_sample(x: Tensor, elements: int | None = None) -> bool:
    """Return whether an operator should loop over the samples of `x` [N, ...].

    Args:
        x: input of the operator.
        elements: elements per sample of the largest intermediate tensor. By default,
            those of `x`.
    """
    # NOTE: checked first, because numel() would specialize a dynamic size in exports.
    if in_graph():
        return False
    if elements is None:
        elements = x.shape[1:].numel()
    return x.device.type == "cpu" and elements >= MIN_ELEMENTS


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Process each sample separately on CPUs. Groups need a few frames of padding."""
    global MIN_ELEMENTS, GROUP_ELEMENTS
    before = MIN_ELEMENTS, GROUP_ELEMENTS
    MIN_ELEMENTS, GROUP_ELEMENTS = 0, 1
    try:
        yield
    finally:
        MIN_ELEMENTS, GROUP_ELEMENTS = before


def in_graph() -> bool:
    """Return whether a compiler or exporter is capturing the operators."""
    return torch.compiler.is_compiling() or torch.jit.is_tracing()


def groups(x: Tensor, elements: int | None = None) -> list[slice]:
    """Split the samples of `x` [N, ...] into groups that fit into the cache.

    On other devices, and in small batches, all samples are one group.

    Args:
        x: input of the operator.
        elements: as in `by_sample`.
    """
    if elements is None:
        elements = x.shape[1:].numel()
    if not by_sample(x, len(x) * elements):
        return [slice(0, len(x))]
    step = max(1, GROUP_ELEMENTS // max(1, elements))
    return [slice(first, first + step) for first in range(0, len(x), step)]


def most_in_group(x: Tensor) -> int:
    """Return the number of samples in the largest of `groups(x)`."""
    return max((len(x[rows]) for rows in groups(x)), default=0)


def autocast_dtype(device: str) -> torch.dtype | None:
    """Return the dtype of autocast for a device type, or None if autocast is off.

    Autocast is off on devices that do not support it, such as `meta`.
    """
    if not torch.amp.is_autocast_available(device):
        return None
    on = torch.is_autocast_enabled(device)
    return torch.get_autocast_dtype(device) if on else None


def as_multiplied(first: Tensor, *others: Tensor | None) -> tuple[Any, ...]:
    """Cast tensors to the dtype of autocast if autocast is on.

    Autocast does not apply to products with `out=`. None stays None.
    """
    tensors = (first, *others)
    dtype = autocast_dtype(first.device.type)
    if dtype is None:
        return tensors

    def cast(tensor: Tensor | None) -> Tensor | None:
        if tensor is None or tensor.dtype == torch.float64:
            return tensor
        return tensor.to(dtype)

    return tuple(cast(tensor) for tensor in tensors)


def without_autocast(x: Tensor) -> AbstractContextManager:
    """Return a context that disables autocast for the device of `x`."""
    device = x.device.type
    if autocast_dtype(device) is None:
        return nullcontext()
    return torch.autocast(device, enabled=False)


def channel_sums(x: Tensor) -> Tensor:
    """Return the sums over all axes of x [N, ..., C] but the last, at least float32.

    PyTorch accumulates bfloat16 in float32, but rounds the sums. With `dtype=float32`, it
    would first copy the tensor. Only the sums of each sample are rounded here. In float16,
    they could overflow.
    """
    if x.dtype == torch.bfloat16:
        x = x.flatten(1, -2).sum(1)
    return x.flatten(0, -2).sum(0, dtype=precise(x.dtype))


def precise(dtype: torch.dtype) -> torch.dtype:
    """Return the dtype for sums of `dtype` values: at least float32."""
    return torch.float32 if dtype in (torch.bfloat16, torch.float16) else dtype
