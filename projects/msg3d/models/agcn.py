"""2s-AGCN: a graph convolution whose graph each layer and each sample change.

    Y = sum_k W_k X (A_k + B_k + C_k)
    C_k = softmax(theta_k(X)^T phi_k(X) / (C_e T)), each column summing to one

Source: Shi et al., "Two-Stream Adaptive Graph Convolutional Networks for
Skeleton-Based Action Recognition", CVPR 2019, https://arxiv.org/abs/1805.07694,
section 4; parts and names from MMAction2's AAGCN.
"""

from typing import Any

import torch
import torch.nn.functional as F
from mmaction.models.utils import unit_aagcn
from mmaction.registry import MODELS
from torch import Tensor, nn

from .aagcn import LayoutAAGCN


class AdaptiveGraphConv(unit_aagcn):
    """The equations, BatchNorm, the residual connection, ReLU.

    NOTE: not MMAction2's unit_aagcn without attention. There the graph is
    A_k + alpha tanh(...) with a trained A_k and a gate alpha that starts at zero;
    here A_k is fixed, B_k is learned beside it from 1e-6, and softmax makes every
    joint take part from the first step.

    Args:
        in_channels: C.
        out_channels: O.
        adjacency: A, float32 [K, V, V], indexed (subset, source, target).
    """

    def __init__(self, in_channels: int, out_channels: int, adjacency: Tensor) -> None:
        super().__init__(in_channels, out_channels, adjacency, attention=False)
        del self.A, self.alpha  # trained there
        self.register_buffer("A", adjacency.clone())
        self.PA = nn.Parameter(torch.full_like(adjacency, 1e-6))  # B

    def graphs(self, x: Tensor) -> Tensor:
        """A + B + C of x [N, C, T, V]: [N, K, V, V], (.., source, target)."""
        # NOTE: len(x) would fix a size that is dynamic in an export.
        samples, subsets = x.shape[0], len(self.A)
        # theta and phi of all subsets in one convolution, side by side in each.
        pairs = [
            conv for pair in zip(self.conv_a, self.conv_b, strict=True) for conv in pair
        ]
        weight = torch.cat([conv.weight for conv in pairs])
        bias = torch.cat([conv.bias for conv in pairs])
        embedded = F.conv2d(x, weight, bias)  # (N, K * 2 * Ce, T, V)
        embedded = embedded.reshape(samples * subsets, 2, -1, x.shape[-1])
        theta, phi = embedded.unbind(1)  # (N * K, Ce * T, V)
        # Scaled inside the product: the sum itself may exceed float16.
        scores = torch.baddbmm(
            theta.new_zeros(1), theta.mT, phi, beta=0, alpha=1 / theta.shape[1]
        )
        attention = scores.softmax(-2).unflatten(0, (samples, subsets))
        return self.A + self.PA + attention

    def forward(self, x: Tensor) -> Tensor:
        """[N, C, T, V] -> [N, O, T, V]."""
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
    """One stream of 2s-AGCN: ST-GCN's ten blocks with adaptive graph convolutions.

    Blocks, temporal convolutions, BatchNorm of the data (each person, joint and
    channel) and the first weights are MMAction2's AAGCN's; see `AdaptiveGraphConv` for
    what is not. The two streams, joints and bones, are trained apart, and their
    scores added.

    Args:
        graph_cfg: `dict(layout=..., mode='spatial')`: itself, inward, outward.
        **kwargs: `LayoutAAGCN`'s others: in_channels, base_channels, num_person,
            tcn_dropout and so on.

    Example:
        >>> model = AGCN(dict(layout='nturgb+d', mode='spatial'))
        >>> model(torch.rand(8, 2, 100, 25, 3)).shape
        torch.Size([8, 2, 256, 25, 25])
    """

    def __init__(self, graph_cfg: dict, **kwargs: Any) -> None:
        super().__init__(graph_cfg, gcn_attention=False, **kwargs)
        for block in self.gcn:
            block.gcn = AdaptiveGraphConv(block.gcn.in_c, block.gcn.out_c, self.A)
