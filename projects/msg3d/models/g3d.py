"""G3D: graph convolution across space and time, by sliding windows.

Source: MS-G3D, section 3.3 and figure 3(b); parameters named and shaped as in
MMAction2's port.
"""

from typing import Sequence

import torch.nn.functional as F
from mmengine.model import BaseModule, ModuleList
from torch import Tensor, nn

from .ms_gcn import MSGCN, channels_last_norm


class G3D(BaseModule):
    """One pathway: a graph convolution over windows, then the window collapses.

    Args:
        in_channels: C.
        mid_channels: channels of the graph convolution.
        out_channels: O.
        adjacency: 0/1 matrix of the skeleton, [V, V].
        num_scales: K.
        window: frames a window, w.
        stride: frames from one window to the next.
    """

    def __init__(
        self,
        in_channels: int,
        mid_channels: int,
        out_channels: int,
        adjacency: Tensor,
        num_scales: int,
        window: int,
        stride: int,
    ) -> None:
        super().__init__()
        gcn = MSGCN(in_channels, mid_channels, adjacency, num_scales, window, stride)
        # Upstream's index 0 cuts the windows and has no parameters.
        self.gcn3d = nn.ModuleDict({"1": gcn})
        self.out_conv = nn.Conv3d(mid_channels, out_channels, (1, window, 1))
        self.out_bn = nn.BatchNorm2d(out_channels)

    def forward(self, x: Tensor) -> Tensor:
        """[N, T, V, C] -> [N, T', V, O]."""
        x = self.gcn3d["1"](x)  # (N, T', V, wO)
        weight = self.out_conv.weight[:, :, 0, :, 0].transpose(1, 2).flatten(1)
        return channels_last_norm(self.out_bn, F.linear(x, weight, self.out_conv.bias))


class MultiWindowG3D(BaseModule):
    """The sum of G3D pathways with windows of several sizes.

    The first block of the network changes channels inside the graph convolution,
    the later ones where the window collapses: `mid_channels` says which.
    """

    def __init__(
        self,
        in_channels: int,
        mid_channels: int,
        out_channels: int,
        adjacency: Tensor,
        num_scales: int,
        stride: int,
        windows: Sequence[int] = (3, 5),
    ) -> None:
        super().__init__()
        self.gcn3d = ModuleList(
            G3D(
                in_channels,
                mid_channels,
                out_channels,
                adjacency,
                num_scales,
                window,
                stride,
            )
            for window in windows
        )

    def forward(self, x: Tensor) -> Tensor:
        """[N, T, V, C] -> [N, T', V, O]."""
        return sum(pathway(x) for pathway in self.gcn3d)
