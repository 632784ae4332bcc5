"""MS-GCN: multi-scale aggregation over the joints, within frames or windows.

Source: MS-G3D, section 3.2 (w = 1) and 3.3 (w > 1); parameters named and shaped as
in MMAction2's port, so that published weights load.
"""

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from .graph import disentangled_scales, spacetime_adjacency
from .graph_conv import graph_conv


class MSGCN(BaseModule):
    """Graph convolution over K scales, BatchNorm, ReLU.

    Args:
        in_channels: C.
        out_channels: O.
        adjacency: 0/1 matrix of the skeleton, [V, V].
        num_scales: K; scale k looks k hops away.
        window: w, frames that a window joins; 1 for the spatial graph.
        stride: frames from one window to the next.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        adjacency: Tensor,
        num_scales: int,
        window: int = 1,
        stride: int = 1,
    ) -> None:
        super().__init__()
        self.window, self.stride = window, stride
        if window > 1:
            adjacency = spacetime_adjacency(adjacency, window)
        self.register_buffer("A", disentangled_scales(adjacency, num_scales))
        # The learned residual graph: starts near nothing (section 3.2, "A^res").
        self.PA = nn.Parameter(torch.empty_like(self.A).uniform_(-1e-6, 1e-6))
        self.mlp = _Pointwise(in_channels * num_scales, out_channels)

    def forward(self, x: Tensor) -> Tensor:
        """[N, T, V, C] -> [N, T', V, wO], the frames of a window side by side."""
        conv, bn = self.mlp.layers
        weight = conv.weight.flatten(1)  # (O, KC)
        x = graph_conv(x, self.A + self.PA, weight, conv.bias, self.window, self.stride)
        return F.relu(channels_last_norm(bn, x), inplace=True).flatten(3)


class _Pointwise(nn.Module):
    """Holds the 1x1 convolution and its BatchNorm under upstream's names."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            [nn.Conv2d(in_channels, out_channels, 1), nn.BatchNorm2d(out_channels)]
        )


def channels_last_norm(bn: nn.BatchNorm2d, x: Tensor) -> Tensor:
    """`bn` over the last axis of x [N, ..., C]; shape kept."""
    image = x.reshape(len(x), -1, 1, x.shape[-1])  # (N, ..., 1, C)
    image = bn(image.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
    return image.reshape(x.shape)
