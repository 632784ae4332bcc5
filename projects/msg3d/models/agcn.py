"""2s-AGCN: graph convolutions with graphs learned per layer and sample.

    Y = sum_k W_k X (A_k + B_k + C_k)
    C_k = softmax(theta_k(X)^T phi_k(X) / (C_e T)), each column summing to one

Source: Shi et al., "Two-Stream Adaptive Graph Convolutional Networks for
Skeleton-Based Action Recognition", CVPR 2019, https://arxiv.org/abs/1805.07694,
section 4. Modules and parameter names are from MMAction2's AAGCN.
"""

from typing import Any

import torch
import torch.nn.functional as F
from mmaction.models.utils import unit_aagcn
from mmaction.registry import MODELS
from torch import Tensor, nn

from .aagcn import LayoutAAGCN


class AdaptiveGraphConv(unit_aagcn):
    """Adaptive graph convolution, BatchNorm, residual connection, and ReLU.

    NOTE: this differs from MMAction2's unit_aagcn without attention. There the graph is
    A_k + alpha tanh(...) with a trained A_k and a gate alpha initialized with zero.
    Here A_k is fixed, B_k is learned and initialized with 1e-6, and the softmax
    connects all joints from the first step.

    Args:
        in_channels: input channels, C.
        out_channels: output channels, O.
        adjacency: A, float32 [K, V, V], indexed (subset, source, target).
    """

    def __init__(self, in_channels: int, out_channels: int, adjacency: Tensor) -> None:
        super().__init__(in_channels, out_channels, adjacency, attention=False)
        del self.A, self.alpha  # trained in unit_aagcn
        self.register_buffer("A", adjacency.clone())
        self.PA = nn.Parameter(torch.full_like(adjacency, 1e-6))  # B

    def graphs(self, x: Tensor) -> Tensor:
        """Compute A + B + C for x [N, C, T, V], [N, K, V, V] (.., source, target)."""
        # NOTE: len(x) would specialize a dynamic size in exports.
        samples, subsets = x.shape[0], len(self.A)
        # One convolution computes theta and phi of all subsets, interleaved.
        pairs = [
            conv for pair in zip(self.conv_a, self.conv_b, strict=True) for conv in pair
        ]
        weight = torch.cat([conv.weight for conv in pairs])
        bias = torch.cat([conv.bias for conv in pairs])
        embedded = F.conv2d(x, weight, bias)  # (N, K * 2 * Ce, T, V)
        embedded = embedded.reshape(samples * subsets, 2, -1, x.shape[-1])
        theta, phi = embedded.unbind(1)  # (N * K, Ce * T, V)
        # Scale inside the product, because the sum may exceed the range of float16.
        scores = torch.baddbmm(
            theta.new_zeros(1), theta.mT, phi, beta=0, alpha=1 / theta.shape[1]
        )
        attention = scores.softmax(-2).unflatten(0, (samples, subsets))
        return self.A + self.PA + attention

    def forward(self, x: Tensor) -> Tensor:
        """Map [N, C, T, V] to [N, O, T, V]."""
        rows = x.flatten(1, 2)  # (N, CT, V)
        products = [rows @ graph for graph in self.graphs(x).unbind(1)]
        gathered = torch.cat(products, 1)  # (N, KCT, V)
        gathered = gathered.unflatten(1, (-1, x.shape[2]))  # (N, KC, T, V)
        weight = torch.cat([conv.weight for conv in self.conv_d], 1)
        bias = torch.stack([conv.bias for conv in self.conv_d]).sum(0)
        y = F.conv2d(gathered, weight, bias)
        return F.relu(self.bn(y) + self.down(x))


@MODELS.register_module()
class AGCN(LayoutAAGCN):
    """One stream of 2s-AGCN: ten blocks of ST-GCN with adaptive graph convolutions.

    Blocks, temporal convolutions, input BatchNorm (per person, joint, and channel), and
    initialization are those of MMAction2's AAGCN. `AdaptiveGraphConv` describes the
    difference. The two streams, joints and bones, are trained separately, and their
    scores are added.

    Args:
        graph_cfg: `dict(layout=..., mode='spatial')`.
        **kwargs: other arguments of `LayoutAAGCN`, such as in_channels, base_channels,
            num_person, and tcn_dropout.

    Example:
        >>> model = AGCN(dict(layout='nturgb+d', mode='spatial'))
        >>> model(torch.rand(8, 2, 100, 25, 3)).shape
        torch.Size([8, 2, 256, 25, 25])
    """

    def __init__(self, graph_cfg: dict, **kwargs: Any) -> None:
        super().__init__(graph_cfg, gcn_attention=False, **kwargs)
        for block in self.gcn:
            block.gcn = AdaptiveGraphConv(block.gcn.in_c, block.gcn.out_c, self.A)
