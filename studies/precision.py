"""Study of bfloat16 in training: accuracy with and without `--amp`.

The recipe is that of `dropout`, with dropout of whole joints and twice the passes, on
split `xview` of NW-UCLA. On a CPU without instructions for bfloat16, matrix products are
computed in float32 and rounded, which is faster than PyTorch's substitute. The instructions
also accumulate in float32.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map_only

from benchmarks.networks import emulated

from . import dropout
from .recipe import set_passes

POSITION = "joints"
EPOCHS = 12  # of five passes
PRODUCTS = {
    *("mm", "addmm", "addmm_", "bmm", "baddbmm"),
    *("convolution", "convolution_backward"),
}
report = partial(dropout.report, heading="data type")


def settings() -> list[str]:
    """Return all settings."""
    return ["float32", "bfloat16"]


def run(name: str, seed: int, data: Path, work_dir: Path) -> dict:
    """Train and test in one data type, see `dropout.run`."""
    cfg = dropout.config(POSITION, data / "nw_ucla.pkl")
    set_passes(cfg, EPOCHS)
    cfg.train_dataloader.dataset.dataset.split = "xview_train"
    for loader in (cfg.val_dataloader, cfg.test_dataloader):
        loader.dataset.split = "xview_val"
    if name == "bfloat16":
        cfg.optim_wrapper.update(type="AmpOptimWrapper", dtype=name)
    with _products(name):
        return dropout.run_config(cfg, name, seed, work_dir)


def _products(dtype: str) -> AbstractContextManager:
    return FloatProducts() if emulated(dtype, "cpu") else nullcontext()


class FloatProducts(TorchDispatchMode):
    """Mode that computes matrix products of bfloat16 in float32, and rounds the result."""

    def __torch_dispatch__(
        self,
        function: Any,
        types: Sequence[type],
        args: tuple = (),
        kwargs: dict | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        low = any(isinstance(v, Tensor) and v.dtype == torch.bfloat16 for v in args)
        if not low or function.overloadpacket.__name__ not in PRODUCTS:
            return function(*args, **kwargs)
        out = kwargs.get("out")
        result = _in(torch.float32, function, args, kwargs)
        if function.overloadpacket.__name__ == "addmm_":
            return args[0].copy_(result)
        if out is not None:
            return out.copy_(result)
        return tree_map_only(Tensor, lambda v: v.to(torch.bfloat16), result)


def _in(dtype: torch.dtype, function: Callable, args: tuple, kwargs: dict) -> Any:
    """Call a function with tensors of another data type."""
    args, kwargs = tree_map_only(Tensor, lambda v: v.to(dtype), (args, kwargs))
    return function(*args, **kwargs)
