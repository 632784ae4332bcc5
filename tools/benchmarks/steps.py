"""One step of a network: what a stopwatch or a memory gauge looks at.

Every step returns the network's output, detached.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from .precision import autocast, storage

Step = Callable[[], Tensor]


def keypoints(batch: int, layout: str, options, dtype: str, present=True) -> Tensor:
    """Random clips [N, M, T, V, 3] on the device; if not `present`, one person each."""
    from msg3d.models.graph import build_graph

    joints = build_graph(layout).num_node
    shape = (batch, options.persons, options.frames, joints, 3)
    clips = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    if not present:
        clips[:, 1:] = 0
    return clips.to(options.device, storage(dtype))


def train_step(network: nn.Module, clips: Tensor, dtype: str) -> Step:
    """Forward, backward of the outputs' sum under fixed random weights."""
    network.train()
    device, weights = clips.device.type, None

    def step() -> Tensor:
        nonlocal weights
        network.zero_grad()
        with autocast(dtype, device):
            out = network(clips)
        if weights is None:
            generator = torch.Generator().manual_seed(2)
            weights = torch.randn(out.shape, generator=generator).to(clips)
        (out * weights).sum().backward()
        return out.detach()

    return step


def infer_step(network: nn.Module, clips: Tensor, dtype: str) -> Step:
    """Forward in eval mode, without a graph."""
    network.eval()
    device = clips.device.type

    def step() -> Tensor:
        with torch.no_grad(), autocast(dtype, device):
            return network(clips)

    return step
