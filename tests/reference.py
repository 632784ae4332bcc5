"""Reference implementation of MS-G3D as published, without optimizations.

Tensors are [N, C, T, V]. Windows are copied, the neighbors of each scale are summed
separately, and the scales are concatenated before the 1x1 convolution. Parameters have
the same names and shapes as in `msg3d.models.MSG3D`, so state dicts are compatible.
"""

import torch
import torch.nn.functional as F
from torch import nn

from msg3d.models.graph import (
    binary_adjacency,
    disentangled_scales,
    spacetime_adjacency,
)


class GraphConv(nn.Module):
    """Graph convolution: sum neighbors per scale, concatenate, then a 1x1 convolution."""

    def __init__(self, in_channels, out_channels, scales):
        super().__init__()
        self.register_buffer("A", scales)  # (K, V, V)
        self.PA = nn.Parameter(torch.zeros_like(scales))
        self.mlp = nn.Module()
        self.mlp.layers = nn.Sequential(
            nn.Conv2d(in_channels * len(scales), out_channels, 1),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(),
        )

    def forward(self, x):
        scales = [x @ scale for scale in self.A + self.PA]
        return self.mlp.layers(torch.cat(scales, dim=1))


class CutWindows(nn.Module):
    """[N, C, T, V] -> [N, C, T', wV]."""

    def __init__(self, window, stride):
        super().__init__()
        self.window, self.stride = window, stride

    def forward(self, x):
        x = F.pad(x, (0, 0, self.window // 2, self.window // 2))
        x = x.unfold(2, self.window, self.stride)  # (N, C, T', V, w)
        return x.transpose(3, 4).flatten(3)


class G3D(nn.Module):
    def __init__(self, channels, mid, out, adjacency, num_scales, window, stride):
        super().__init__()
        self.window = window
        nodes = spacetime_adjacency(adjacency, window)
        self.gcn3d = nn.Sequential(
            CutWindows(window, stride),
            GraphConv(channels, mid, disentangled_scales(nodes, num_scales)),
        )
        self.out_conv = nn.Conv3d(mid, out, (1, window, 1))
        self.out_bn = nn.BatchNorm2d(out)

    def forward(self, x):
        x = self.gcn3d(x).unflatten(3, (self.window, -1))  # (N, C, T', w, V)
        return self.out_bn(self.out_conv(x).squeeze(3))


class MultiWindow(nn.Module):
    def __init__(self, *args, stride):
        super().__init__()
        self.gcn3d = nn.ModuleList(G3D(*args, window, stride) for window in (3, 5))

    def forward(self, x):
        return self.gcn3d[0](x) + self.gcn3d[1](x)


class ConvNorm(nn.Module):
    def __init__(self, in_channels, out_channels, kernel, stride, dilation=1):
        super().__init__()
        self.conv = nn.Conv2d(
            in_channels,
            out_channels,
            (kernel, 1),
            stride=(stride, 1),
            padding=(dilation * (kernel - 1) // 2, 0),
            dilation=(dilation, 1),
        )
        self.bn = nn.BatchNorm2d(out_channels)

    def forward(self, x):
        return self.bn(self.conv(x))


class TemporalConv(nn.Module):
    def __init__(self, in_channels, out_channels, stride=1, dropout=0, activate=True):
        super().__init__()
        width = out_channels // 6

        def start(channels, stride=1):
            return [
                nn.Conv2d(in_channels, channels, 1, stride=(stride, 1)),
                nn.BatchNorm2d(channels),
            ]

        self.branches = nn.ModuleList(
            nn.Sequential(
                *start(width), nn.ReLU(), ConvNorm(width, width, 3, stride, d)
            )
            for d in (1, 2, 3, 4)
        )
        pool = nn.MaxPool2d((3, 1), (stride, 1), (1, 0))
        self.branches.append(
            nn.Sequential(*start(width), nn.ReLU(), pool, nn.BatchNorm2d(width))
        )
        rest = out_channels - 5 * width
        self.branches.append(nn.Sequential(*start(rest, stride)))
        if in_channels == out_channels and stride == 1:
            self.residual = nn.Identity()
        else:
            self.residual = ConvNorm(in_channels, out_channels, 1, stride)
        self.activate, self.drop = activate, nn.Dropout(dropout)

    def forward(self, x):
        out = torch.cat([branch(x) for branch in self.branches], dim=1)
        out = out + self.residual(x)
        return self.drop(F.relu(out) if self.activate else out)


class ReferenceMSG3D(nn.Module):
    """MS-G3D: [N, M, T, V, C] -> [N, M, 4c, T', V]; arguments as in our `MSG3D`."""

    def __init__(
        self,
        graph_cfg,
        in_channels=3,
        base_channels=96,
        num_gcn_scales=13,
        num_g3d_scales=6,
        num_person=2,
        tcn_dropout=0,
    ):
        super().__init__()
        graph, adjacency = binary_adjacency(graph_cfg)
        self.register_buffer("A", adjacency)
        self.data_bn = nn.BatchNorm1d(num_person * graph.num_node * in_channels)
        c1, c2, c3 = base_channels, 2 * base_channels, 4 * base_channels
        scales = disentangled_scales(adjacency, num_gcn_scales)
        graph = (adjacency, num_g3d_scales)

        self.gcn3d1 = MultiWindow(in_channels, c1, c1, *graph, stride=1)
        self.sgcn1 = nn.Sequential(
            GraphConv(in_channels, c1, scales),
            TemporalConv(c1, c1),
            TemporalConv(c1, c1, activate=False),
        )
        self.tcn1 = TemporalConv(c1, c1, dropout=tcn_dropout)

        self.gcn3d2 = MultiWindow(c1, c1, c2, *graph, stride=2)
        self.sgcn2 = nn.Sequential(
            GraphConv(c1, c1, scales),
            TemporalConv(c1, c2, 2),
            TemporalConv(c2, c2, activate=False),
        )
        self.tcn2 = TemporalConv(c2, c2, dropout=tcn_dropout)

        self.gcn3d3 = MultiWindow(c2, c2, c3, *graph, stride=2)
        self.sgcn3 = nn.Sequential(
            GraphConv(c2, c2, scales),
            TemporalConv(c2, c3, 2),
            TemporalConv(c3, c3, activate=False),
        )
        self.tcn3 = TemporalConv(c3, c3, dropout=tcn_dropout)

    def forward(self, x):
        clips, persons, frames, joints, channels = x.shape
        x = x.permute(0, 1, 3, 4, 2).reshape(clips, persons * joints * channels, frames)
        x = self.data_bn(x).view(clips * persons, joints, channels, frames)
        x = x.permute(0, 2, 3, 1)  # (N*M, C, T, V)
        x = self.tcn1(F.relu(self.sgcn1(x) + self.gcn3d1(x)))
        x = self.tcn2(F.relu(self.sgcn2(x) + self.gcn3d2(x)))
        x = self.tcn3(F.relu(self.sgcn3(x) + self.gcn3d3(x)))
        return x.view(clips, persons, *x.shape[1:])
