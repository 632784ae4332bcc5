"""Backbone of CTR-GCN, for comparison only.

Written from the equations of Chen et al., "Channel-wise Topology Refinement Graph
Convolution for Learning Action Recognition", ICCV 2021, in the size of the paper: 10 blocks
of 64, 128, and 256 channels. With a head of 120 classes, it has 1.46 M parameters, as
published. A clip of 64 frames with two persons takes 1.77 GMAC, and 1.94 if φ and ψ are
applied before the mean over frames (published: 1.97 GFLOPs).

Channel-wise topology refinement graph convolution (CTR-GC) of joint features X, with
adjacency matrix A and refinement strength alpha, both learned:

    M_ij = tanh(mean_t φ(X)_ti - mean_t ψ(X)_tj)    C' = max(C / 8, 8) channels
    R = A + alpha ξ(M)                              a topology [V, V] per output channel
    Z_ti = Σ_j R_ij (W X_tj)

φ, ψ, ξ, and W are linear maps of the channels. A block adds three CTR-GCs, whose A start as
self-links, inward bones, and outward bones. alpha starts at 0. The temporal module has four
branches of a quarter of the channels each: 5-frame convolutions with dilations 1 and 2, a
3-frame maximum, and a linear map.

    Y = ReLU(BN(Σ_k CTR-GC_k(X)) + X),  block(X) = ReLU(temporal(Y) + X)

Where shapes differ, a linear map with BN takes the place of "+ X". The first block omits it.
"""

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

from msg3d.models.graph import build_graph

REDUCTION = 8  # of the channels of M
# Width, relative to the first block, and temporal stride of each block
BLOCKS = [*4 * [(1, 1)], (2, 2), *2 * [(2, 1)], (4, 2), *2 * [(4, 1)]]


class CTRGC(nn.Module):
    """Graph convolution with a refined topology per channel: [R, C, T, V]."""

    def __init__(self, channels: int, out_channels: int, adjacency: Tensor) -> None:
        super().__init__()
        self.adjacency = nn.Parameter(adjacency.clone())  # (V, V)
        hidden = max(channels // REDUCTION, 8)
        self.phi = nn.Conv2d(channels, hidden, 1)
        self.psi = nn.Conv2d(channels, hidden, 1)
        self.xi = nn.Conv2d(hidden, out_channels, 1)
        self.weight = nn.Conv2d(channels, out_channels, 1)

    def forward(self, x: Tensor, alpha: Tensor) -> Tensor:
        # The mean over frames commutes with the linear maps.
        mean = x.mean(2, keepdim=True)  # (R, C, 1, V)
        query, key = self.phi(mean).mT, self.psi(mean)  # (R, C', V, 1), (R, C', 1, V)
        relations = torch.tanh(query - key)  # (R, C', V, V)
        topology = self.adjacency + alpha * self.xi(relations)  # (R, C, V, V)
        return self.weight(x) @ topology.mT


class SpatialModule(nn.Module):
    """Sum of CTR-GCs over the subsets of the graph [3, V, V], with a shortcut."""

    def __init__(self, channels: int, out_channels: int, adjacency: Tensor) -> None:
        super().__init__()
        self.alpha = nn.Parameter(torch.zeros(1))
        self.convs = nn.ModuleList(
            CTRGC(channels, out_channels, subset) for subset in adjacency
        )
        self.bn = nn.BatchNorm2d(out_channels)
        self.shortcut = shortcut(channels, out_channels)

    def forward(self, x: Tensor) -> Tensor:
        out = sum(conv(x, self.alpha) for conv in self.convs)
        return torch.relu(self.bn(out) + self.shortcut(x))


class TemporalModule(nn.Module):
    """Concatenation of the four temporal branches."""

    def __init__(self, channels: int, stride: int) -> None:
        super().__init__()
        part = channels // 4
        self.branches = nn.ModuleList(
            nn.Sequential(
                *linear(channels, part),
                nn.ReLU(),
                nn.Conv2d(
                    part,
                    part,
                    kernel_size=(5, 1),
                    stride=(stride, 1),
                    padding=(2 * dilation, 0),
                    dilation=(dilation, 1),
                ),
                nn.BatchNorm2d(part),
            )
            for dilation in (1, 2)
        )
        maximum = nn.MaxPool2d((3, 1), (stride, 1), (1, 0))
        self.branches.append(
            nn.Sequential(
                *linear(channels, part), nn.ReLU(), maximum, nn.BatchNorm2d(part)
            )
        )
        self.branches.append(linear(channels, part, stride))

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([branch(x) for branch in self.branches], 1)


class Block(nn.Module):
    """Spatial and temporal module with a shortcut: [R, C, T, V]."""

    def __init__(
        self,
        channels: int,
        out_channels: int,
        stride: int,
        adjacency: Tensor,
        residual: bool,
    ) -> None:
        super().__init__()
        self.spatial = SpatialModule(channels, out_channels, adjacency)
        self.temporal = TemporalModule(out_channels, stride)
        self.shortcut = shortcut(channels, out_channels, stride) if residual else None

    def forward(self, x: Tensor) -> Tensor:
        out = self.temporal(self.spatial(x))
        return torch.relu(out if self.shortcut is None else out + self.shortcut(x))


def linear(channels: int, out_channels: int, stride: int = 1) -> nn.Sequential:
    """Return a linear map of the channels with BatchNorm."""
    conv = nn.Conv2d(channels, out_channels, 1, (stride, 1))
    return nn.Sequential(conv, nn.BatchNorm2d(out_channels))


def shortcut(channels: int, out_channels: int, stride: int = 1) -> nn.Module:
    """Return the identity, or a linear map if the shapes differ."""
    if channels == out_channels and stride == 1:
        return nn.Identity()
    return linear(channels, out_channels, stride)


class CTRGCN(BaseModule):
    """Backbone of CTR-GCN.

    Args:
        graph_cfg: layout and mode of the graph, three subsets.
        num_person: persons per clip.
        in_channels: channels of the input, C.
        base_channels: channels of the first block, B.

    `forward` maps keypoints [N, M, T, V, C] to features [N, M, 4 B, T / 4, V].
    """

    def __init__(
        self,
        graph_cfg: dict,
        num_person: int = 2,
        in_channels: int = 3,
        base_channels: int = 64,
    ) -> None:
        super().__init__()
        graph = build_graph(**graph_cfg)
        adjacency = torch.tensor(graph.A, dtype=torch.float32)
        self.data_bn = nn.BatchNorm1d(num_person * graph.num_node * in_channels)
        blocks, channels = [], in_channels
        for number, (width, stride) in enumerate(BLOCKS):
            sizes = (channels, width * base_channels, stride)
            blocks.append(Block(*sizes, adjacency, residual=number > 0))
            channels = width * base_channels
        self.blocks = nn.Sequential(*blocks)

    def forward(self, x: Tensor) -> Tensor:
        clips, persons, frames, joints, channels = x.shape
        x = x.permute(0, 1, 3, 4, 2).reshape(clips, -1, frames)  # (N, M*V*C, T)
        x = self.data_bn(x).view(clips * persons, joints, channels, frames)
        x = x.permute(0, 2, 3, 1).contiguous()  # (N*M, C, T, V)
        return self.blocks(x).unflatten(0, (clips, persons))
