"""Two-stream ST-GCN on positions and their second differences.

Source: `st_gcn_twostream` in the code of ST-GCN's authors (BSD-2-Clause).
"""

from typing import Any

import torch
from mmaction.registry import MODELS
from mmengine.model import BaseModule
from torch import Tensor

from .stgcn import PartitionSTGCN


@MODELS.register_module()
class TwoStreamSTGCN(BaseModule):
    """Two ST-GCNs with separate weights and concatenated features.

    The authors add the scores of both streams. A GCNHead on the concatenated features
    is equivalent. Its weight concatenates the weights of two heads, and its bias is the
    sum of their biases.

    Args:
        init_cfg: initialization config of MMEngine. The streams have their own.
        **kwargs: arguments of each `PartitionSTGCN`.

    Example:
        >>> graph_cfg = dict(layout='nturgb+d', mode='stgcn_spatial')
        >>> model = TwoStreamSTGCN(graph_cfg=graph_cfg)
        >>> model(torch.rand(8, 2, 100, 25, 3)).shape
        torch.Size([8, 2, 512, 25, 25])
    """

    def __init__(
        self, init_cfg: dict | list[dict] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(init_cfg=init_cfg)
        self.origin_stream = PartitionSTGCN(**kwargs)
        self.motion_stream = PartitionSTGCN(**kwargs)
        self.graph = self.origin_stream.graph
        self.in_channels = self.origin_stream.in_channels

    def forward(self, x: Tensor) -> Tensor:
        """Map keypoints [N, M, T, V, C] to features [N, M, 8 * base_channels, T', V].

        T' is ceil(T / 4).

        Raises:
            DataError: the numbers of persons, joints, or channels differ from the
                model's (kind `shape`).
        """
        streams = self.origin_stream(x), self.motion_stream(second_difference(x))
        return torch.cat(streams, dim=2)


def second_difference(x: Tensor) -> Tensor:
    """Compute x_t - (x_(t-1) + x_(t+1)) / 2 for x [N, M, T, V, C]; 0 at both ends."""
    out = torch.zeros_like(x)
    out[:, :, 1:-1] = x[:, :, 1:-1] - (x[:, :, :-2] + x[:, :, 2:]) / 2
    return out
