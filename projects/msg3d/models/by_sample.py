"""When a batch is worked through one sample at a time.

A CPU multiplies faster than its memory delivers: a batch of 16 makes tensors of 40
to 200 MB, each of which leaves the cache before it is read again, and costs a page
fault every 4 kB when it is made. One sample's tensors stay in the cache, and one
buffer serves all samples. Accelerators, compilers and exporters want the whole batch
in few large operators instead, so each operator of this package has two forms of one
equation: plain torch over the batch, and a loop over samples.
"""

from typing import Any

import torch
from torch import Tensor

# Elements a sample from which a loop pays for its interpreter: below, the whole
# batch is small, and a call costs more than it computes.
MIN_ELEMENTS = 16_384

# Elements of a group of samples: fewer cost more interpreter, more leave the cache.
GROUP_ELEMENTS = 1_000_000


def by_sample(x: Tensor, elements: int | None = None) -> bool:
    """Whether an operator shall loop over `x` [N, ...].

    Args:
        x: its input.
        elements: of the largest tensor that it makes a sample; of `x`, if not given.
    """
    # NOTE: asked first, as numel() would fix a size that is dynamic in an export.
    if torch.compiler.is_compiling() or torch.jit.is_tracing():
        return False
    if elements is None:
        elements = x.shape[1:].numel()
    return x.device.type == "cpu" and elements >= MIN_ELEMENTS


def groups(x: Tensor) -> list[slice]:
    """Samples of `x` [N, ...] that are worked through together: as the cache holds."""
    step = max(1, GROUP_ELEMENTS // max(1, x.shape[1:].numel()))
    return [slice(first, first + step) for first in range(0, len(x), step)]


def most_in_group(x: Tensor) -> int:
    """Samples in the largest of `groups`."""
    return max((len(x[rows]) for rows in groups(x)), default=0)


def autocast_dtype(device: str) -> torch.dtype | None:
    """The type that autocast multiplies in on a type of device, None if it is off.

    It is off on devices that autocast does not support, such as `meta`.
    """
    if not torch.amp.is_autocast_available(device):
        return None
    on = torch.is_autocast_enabled(device)
    return torch.get_autocast_dtype(device) if on else None


def as_multiplied(first: Tensor, *others: Tensor | None) -> tuple[Any, ...]:
    """Tensors in the type that autocast would multiply them in, if it is on.

    Autocast does not see products that write into a buffer. None stays None.
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


def precise(dtype: torch.dtype) -> torch.dtype:
    """The type to sum up values of `dtype` in: float32 for shorter ones."""
    return torch.float32 if dtype in (torch.bfloat16, torch.float16) else dtype
