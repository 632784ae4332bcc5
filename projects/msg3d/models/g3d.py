"""G3D: graph convolution across space and time, by sliding windows.

Source: MS-G3D, section 3.3 and figure 3(b); parameters named and shaped as in
MMAction2's port.
"""

from collections.abc import Sequence
from typing import Any

import torch
from mmengine.model import BaseModule, ModuleList
from torch import Tensor, nn

from .batch_norm import batch_norm, fold_linear
from .collapse import collapse
from .ms_gcn import MSGCN


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
        norm: of the adjacency matrices, one of `graph.NORMS`.
        dropout: probability, in the graph convolution (see MSGCN).
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
        )
        # Upstream's index 0 cuts the windows and has no parameters.
        self.gcn3d: Any = nn.ModuleDict({"1": gcn})
        self.out_conv = nn.Conv3d(mid_channels, out_channels, (1, window, 1))
        self.out_bn = nn.BatchNorm2d(out_channels)

    def out_linear(self) -> tuple[Tensor, Any]:
        """The weight of `out_conv` as a matrix [O, w * mid], and its bias [O]."""
        weight = self.out_conv.weight[:, :, 0, :, 0].transpose(1, 2).flatten(1)
        return weight, self.out_conv.bias

    def forward(self, x: Tensor) -> Tensor:
        """[N, T, V, C] -> [N, T', V, O]."""
        gcn: MSGCN = self.gcn3d["1"]
        z = gcn.convolve(x)  # (N, T', V, w, mid)
        x = collapse(z, gcn.mlp.layers[1], *self.out_linear())
        return batch_norm([self.out_bn], x)

    def fold(self) -> "FoldedG3D":
        """For inference: what adds this pathway to another."""
        return FoldedG3D(self)


class FoldedG3D(nn.Module):
    """G3D for inference: BatchNorms folded, and one bias.

    With z the graph convolution without its bias b, relu(z + b) = max(z, -b) + b, and
    the map W that collapses the window takes the second b along into its own bias.
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
        """Adds the pathway of x [N, T, V, C], without its bias, to `out`."""
        z = self.gcn.convolve(x)  # (N, T', V, w, mid)
        z = torch.maximum(z, self.floor, out=z).flatten(3)
        out.flatten(0, 2).addmm_(z.flatten(0, 2), self.weight.T)


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
        norm: str = "columns",
        dropout: float = 0,
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
            )
            for window in windows
        )

    def forward(self, x: Tensor) -> Tensor:
        """[N, T, V, C] -> [N, T', V, O]."""
        out, *others = (pathway(x) for pathway in self.gcn3d)
        for other in others:
            out = out + other
        return out
