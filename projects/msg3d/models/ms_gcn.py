"""MS-GCN: multi-scale aggregation over joints, within frames or windows.

Source: MS-G3D, sections 3.2 (w = 1) and 3.3 (w > 1). Parameters have the names and
shapes of MMAction2's port, so published weights can be loaded.
"""

from typing import Any

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

from ..errors import ConfigError
from .batch_norm import batch_norm, fold_linear
from .dropout import SHARED_AXES, Dropout
from .graph import disentangled_scales, spacetime_adjacency
from .graph_conv import (
    Factors,
    apply_factors,
    arrange,
    dropped_graph_conv,
    graph_conv,
)

# Positions of dropout. "aggregated" is the published position, and the only one that
# excludes the cheaper order of products.
POSITIONS = ("aggregated", *SHARED_AXES, "output")


class MSGCN(BaseModule):
    """Graph convolution over K scales with BatchNorm and ReLU.

    Args:
        in_channels: input channels, C.
        out_channels: output channels, O.
        adjacency: 0/1 matrix of the skeleton, [V, V].
        num_scales: number of scales, K; scale k connects joints k hops apart.
        window: frames per window, w; 1 for the spatial graph.
        stride: frames from one window to the next.
        norm: normalization of the adjacency matrices, one of `graph.NORMS`.
        dropout: dropout probability.
        dropout_position: what to drop: elements of the 'aggregated' features before the
            weights, as published; elements of the 'input', with one mask for all
            scales; whole 'joints' or 'channels' of the input, in all frames of a
            sample; or elements of the 'output': here after the activation, in G3D after
            the last BatchNorm.

    Raises:
        ConfigError: the position is unknown (kind `option`).
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        adjacency: Tensor,
        num_scales: int,
        window: int = 1,
        stride: int = 1,
        norm: str = "columns",
        dropout: float = 0,
        dropout_position: str = "aggregated",
    ) -> None:
        super().__init__()
        if dropout_position not in POSITIONS:
            raise ConfigError(
                f"dropout_position={dropout_position!r}, expected one of "
                f"{', '.join(POSITIONS)}",
                kind="option",
                field="dropout_position",
            )
        self.window, self.stride = window, stride
        if window > 1:
            adjacency = spacetime_adjacency(adjacency, window)
        self.register_buffer("A", disentangled_scales(adjacency, num_scales, norm))
        # The learned residual graph, initialized near zero (section 3.2, "A^res").
        self.PA = nn.Parameter(torch.empty_like(self.A).uniform_(-1e-6, 1e-6))
        self.mlp = _Pointwise(in_channels * num_scales, out_channels)
        self.drop, self.dropout_position = Dropout(dropout), dropout_position

    def convolve(self, x: Tensor) -> Tensor:
        """Map [N, T, V, C] to [N, T', V, w, O], without BatchNorm and ReLU."""
        conv = self.mlp.layers[0]
        weight = conv.weight.flatten(1)  # (O, KC)
        adjacency = self.A + self.PA
        layout = (self.window, self.stride)
        if self.drop.p and self.drop.training:
            if self.dropout_position == "aggregated":
                return dropped_graph_conv(
                    x, adjacency, weight, conv.bias, *layout, self.drop
                )
            if self.dropout_position in SHARED_AXES:
                x = self.drop(x, SHARED_AXES[self.dropout_position])
        return graph_conv(x, adjacency, weight, conv.bias, *layout)

    def drop_output(self, x: Tensor) -> Tensor:
        """Apply dropout to the output of the layer, if this is its position."""
        return self.drop(x) if self.dropout_position == "output" else x

    def forward(self, x: Tensor) -> Tensor:
        """Map [N, T, V, C] to [N, T', V, wO] with concatenated frames per window."""
        x = batch_norm([self.mlp.layers[1]], self.convolve(x), relu=True)
        return self.drop_output(x.flatten(3))

    def fold(self) -> "FoldedMSGCN":
        """Return an equivalent module for inference with folded BatchNorm."""
        return FoldedMSGCN(self)


class FoldedMSGCN(nn.Module):
    """MSGCN for inference, with A + PA precomputed and BatchNorm folded."""

    gather: Tensor
    weight: Tensor
    bias: Tensor

    def __init__(self, module: MSGCN) -> None:
        super().__init__()
        conv, norm = module.mlp.layers
        weight, bias = fold_linear(conv.weight.flatten(1), conv.bias, norm)
        factors = arrange(module.A + module.PA, weight, module.window, module.stride)
        self.register_buffer("gather", factors.gather)
        self.register_buffer("weight", factors.weight)
        self.register_buffer("bias", bias)
        self.window = module.window
        self.aggregate_first, self.sizes = factors.aggregate_first, factors[3:]

    def convolve(self, x: Tensor) -> Tensor:
        """Return the result before bias and ReLU, [N, T', V, w, O]."""
        matrices = self.gather, self.weight
        factors = Factors(self.aggregate_first, *matrices, *self.sizes)
        return apply_factors(x, factors, None)

    def forward(self, x: Tensor) -> Tensor:
        return self.convolve(x).add_(self.bias).relu_().flatten(3)


class _Pointwise(nn.Module):
    """1x1 convolution and BatchNorm with the names of MMAction2's port."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.layers: Any = nn.ModuleList(
            [nn.Conv2d(in_channels, out_channels, 1), nn.BatchNorm2d(out_channels)]
        )
