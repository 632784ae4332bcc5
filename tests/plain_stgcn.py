"""Reference implementation of the authors' ST-GCN, written from its description.

It has ten blocks, and the same arithmetic and names of entries as the release.
"""

import torch
from torch import nn

WIDTHS = [64, 64, 64, 64, 128, 128, 128, 256, 256, 256]


class Block(nn.Module):
    def __init__(self, in_channels, out_channels, subsets, stride, residual):
        super().__init__()
        self.gcn = nn.ModuleDict(
            {"conv": nn.Conv2d(in_channels, out_channels * subsets, 1)}
        )
        self.tcn = nn.Sequential(
            nn.BatchNorm2d(out_channels),
            nn.ReLU(),
            nn.Conv2d(out_channels, out_channels, (9, 1), (stride, 1), (4, 0)),
            nn.BatchNorm2d(out_channels),
            nn.Dropout(0.5),
        )
        self.subsets = subsets
        self.straight = residual and in_channels == out_channels and stride == 1
        self.residual = None
        if residual and not self.straight:
            self.residual = nn.Sequential(
                nn.Conv2d(in_channels, out_channels, 1, (stride, 1)),
                nn.BatchNorm2d(out_channels),
            )

    def forward(self, x, matrices):
        n, _, t, v = x.shape
        support = self.gcn["conv"](x).view(n, self.subsets, -1, t, v)
        y = self.tcn(torch.einsum("nkctv,kvw->nctw", support, matrices))
        if self.straight:
            y = y + x
        elif self.residual is not None:
            y = y + self.residual(x)
        return y.relu()


class PlainSTGCN(nn.Module):
    """[N, C, T, V, M] -> [N, classes]."""

    def __init__(self, matrices, classes, channels=3, importance=True):
        super().__init__()
        self.register_buffer("A", matrices)
        subsets, joints = matrices.shape[:2]
        self.data_bn = nn.BatchNorm1d(channels * joints)
        inputs = [channels, *WIDTHS[:-1]]
        self.st_gcn_networks = nn.ModuleList(
            Block(
                in_channels,
                out_channels,
                subsets,
                2 if index in (4, 7) else 1,
                index > 0,
            )
            for index, (in_channels, out_channels) in enumerate(
                zip(inputs, WIDTHS, strict=True)
            )
        )
        if importance:
            self.edge_importance = nn.ParameterList(
                torch.rand_like(matrices) for _ in WIDTHS
            )
        else:
            self.edge_importance = [1.0] * len(WIDTHS)
        self.fcn = nn.Conv2d(256, classes, 1)

    def forward(self, x):
        n, c, t, v, m = x.shape
        x = x.permute(0, 4, 3, 1, 2).reshape(n * m, v * c, t)
        x = self.data_bn(x).view(n * m, v, c, t).permute(0, 2, 3, 1)
        for block, importance in zip(
            self.st_gcn_networks, self.edge_importance, strict=True
        ):
            x = block(x, self.A * importance)
        x = x.mean((2, 3)).view(n, m, -1, 1, 1).mean(1)
        return self.fcn(x).flatten(1)
