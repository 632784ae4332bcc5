"""The ways to run a network: as it is, compiled, or compiled and replayed.

`cudagraphs` records the GPU's work once and replays it, so that a step costs the
processor next to nothing.
"""

import gc

import torch
from torch import Tensor, nn

COMPILE = {"compiled": "default", "cudagraphs": "reduce-overhead"}
# The first step compiles; CUDA graphs run once more and then record before they replay.
WARM_UPS = {"eager": 1, "compiled": 2, "cudagraphs": 4}


def lacks(mode: str, device: str) -> str | None:
    """Why this device cannot run that way, or None."""
    if mode == "cudagraphs" and device != "cuda":
        return "skipped: CUDA graphs are a GPU's"
    return None


def run_in(mode: str, network: nn.Module) -> nn.Module:
    """The network as that mode runs it; it is compiled by its first steps."""
    if mode == "eager":
        return network
    compiled = torch.compile(network, mode=COMPILE[mode])
    return _Replayed(compiled) if mode == "cudagraphs" else compiled


class _Replayed(nn.Module):
    """Tells CUDA graphs where a step begins: the last one's memory may be reused."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        torch.compiler.cudagraph_mark_step_begin()
        return self.network(x)


def forget(device: str) -> None:
    """Compiled code and freed memory, so that the next networks start afresh."""
    torch._dynamo.reset()
    gc.collect()
    if device == "cuda":
        torch.cuda.empty_cache()
