"""When a batch is worked through one sample at a time.

A CPU multiplies faster than its memory delivers: a batch of 16 makes tensors of 40
to 200 MB, each of which leaves the cache before it is read again, and costs a page
fault every 4 kB when it is made. One sample's tensors stay in the cache, and one
buffer serves all samples. Accelerators, compilers and exporters want the whole batch
in few large operators instead, so each operator of this package has two forms of one
equation: plain torch over the batch, and a loop over samples.
"""

import torch
from torch import Tensor

# Elements a sample from which a loop pays for its interpreter: below, the whole
# batch is small, and a call costs more than it computes.
MIN_ELEMENTS = 16_384


def by_sample(x: Tensor, elements: int) -> bool:
    """Whether an operator shall loop over `x` [N, ...], at `elements` a sample."""
    if torch.compiler.is_compiling() or torch.jit.is_tracing():
        return False
    return x.device.type == "cpu" and elements >= MIN_ELEMENTS


def as_multiplied(*tensors: Tensor) -> tuple:
    """`tensors` in the type that autocast would multiply them in, if it is on.

    Autocast does not see products that write into a buffer.
    """
    device = tensors[0].device.type
    if not torch.is_autocast_enabled(device):
        return tensors
    dtype = torch.get_autocast_dtype(device)
    return tuple(t if t.dtype == torch.float64 else t.to(dtype) for t in tensors)
