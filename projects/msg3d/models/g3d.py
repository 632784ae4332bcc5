"""G3D: graph convolution across space and time over sliding windows.

Source: MS-G3D, section 3.3 and figure 3(b). Parameters have the names and shapes of
MMAction2's port.
"""

from collections.abc import Sequence
from typing import Any

import torch
from mmengine.model import BaseModule, ModuleList
from torch import Tensor, nn

from .batch_norm import fold_linear
from .collapse import collapse
from .ms_gcn import MSGCN


class G3D(BaseModule):
    """G3D pathway: graph convolution over windows, then collapse of each window.

    Args:
        in_channels: input channels, C.
        mid_channels: output channels of the graph convolution.
        out_channels: output channels, O.
        adjacency: 0/1 matrix of the skeleton, [V, V].
        num_scales: number of scales, K.
        window: frames per window, w.
        stride: frames from one window to the next.
        norm: normalization of the adjacency matrices, one of `graph.NORMS`.
        dropout, dropout_position: dropout in the graph convolution (see MSGCN). The
            output is that of the pathway.
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
        norm: str = "columns",
        dropout: float = 0,
        dropout_position: str = "aggregated",
    ) -> None:
        super().__init__()
        gcn = MSGCN(
            in_channels,
            mid_channels,
            adjacency,
            num_scales,
            window,
            stride,
            norm,
            dropout,
            dropout_position,
        )
        # Upstream's module 0 extracts the windows and has no parameters.
        self.gcn3d: Any = nn.ModuleDict({"1": gcn})
        self.out_conv = nn.Conv3d(mid_channels, out_channels, (1, window, 1))
        self.out_bn = nn.BatchNorm2d(out_channels)

    def out_linear(self) -> tuple[Tensor, Any]:
        """Return the weight of `out_conv` as a matrix [O, w * mid] and its bias [O]."""
        weight = self.out_conv.weight[:, :, 0, :, 0].transpose(1, 2).flatten(1)
        return weight, self.out_conv.bias

    def forward(self, x: Tensor) -> Tensor:
        """Map [N, T, V, C] to [N, T', V, O]."""
        gcn: MSGCN = self.gcn3d["1"]
        z = gcn.convolve(x)  # (N, T', V, w, mid)
        x = collapse(z, gcn.mlp.layers[1], *self.out_linear(), self.out_bn)
        return gcn.drop_output(x)

    def fold(self) -> "FoldedG3D":
        """Return an equivalent module for inference, which adds to a tensor."""
        return FoldedG3D(self)


class FoldedG3D(nn.Module):
    """G3D for inference, with folded BatchNorms and a single bias.

    Let z be the graph convolution without its bias b. Then
    relu(z + b) = max(z, -b) + b, and the linear map that collapses the window absorbs
    the second b in its own bias.
    """

    floor: Tensor
    weight: Tensor
    bias: Tensor

    def __init__(self, module: G3D) -> None:
        super().__init__()
        gcn: MSGCN = module.gcn3d["1"]
        self.gcn = gcn.fold()
        weight, bias = fold_linear(*module.out_linear(), module.out_bn)
        floor = self.gcn.bias
        bias = bias + weight @ floor.repeat(self.gcn.window)
        self.register_buffer("floor", -floor)
        self.register_buffer("weight", weight)
        self.register_buffer("bias", bias)

    def add_to(self, out: Tensor, x: Tensor) -> None:
        """Add the result for x [N, T, V, C], without the bias, to `out` in place."""
        z = self.gcn.convolve(x)  # (N, T', V, w, mid)
        z = torch.maximum(z, self.floor, out=z).flatten(3)
        out.flatten(0, 2).addmm_(z.flatten(0, 2), self.weight.T)


class MultiWindowG3D(BaseModule):
    """Sum of G3D pathways with different window sizes.

    The first block of the network changes the number of channels in the graph
    convolution (`mid_channels` = `out_channels`). Later blocks change it in the
    collapse (`mid_channels` = `in_channels`). The arguments are those of `G3D`, except
    `windows`, which contains the frames per window of each pathway.
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
        norm: str = "columns",
        dropout: float = 0,
        dropout_position: str = "aggregated",
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
                norm,
                dropout,
                dropout_position,
            )
            for window in windows
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map [N, T, V, C] to [N, T', V, O]."""
        out, *others = (pathway(x) for pathway in self.gcn3d)
        for other in others:
            out = out + other
        return out
