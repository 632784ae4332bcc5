"""ST-GCN, with every partition strategy, every layout and the authors' first weights.

Source: Yan et al., "Spatial Temporal Graph Convolutional Networks for
Skeleton-Based Action Recognition", AAAI 2018, https://arxiv.org/abs/1801.07455, and
the authors' code (BSD-2-Clause).
"""

from typing import Any

import torch
from mmaction.models import STGCN
from mmaction.models.utils import unit_gcn
from mmaction.registry import MODELS
from mmengine.model import BaseModule
from torch import Tensor

from ..skeletons import graph_layout
from .keypoint_shape import check_keypoints
from .partition import PartitionGraph

AUTHORS_INIT = [
    {"type": "Normal", "layer": "Conv2d", "std": 0.02},
    {"type": "Normal", "layer": ["BatchNorm1d", "BatchNorm2d"], "mean": 1, "std": 0.02},
]


@MODELS.register_module()
class PartitionSTGCN(STGCN):
    """MMAction2's STGCN, on the graphs of `PartitionGraph`.

    The network and the names of its parameters are MMAction2's, so that checkpoints
    of both load into either. Of its options these are the paper's:
    `gcn_adaptive='importance'` (a learned weight for each edge, the default) or None,
    and `tcn_dropout`, which leaves the first block out: 0.5 for NTU RGB+D, 0 for
    Kinetics.

    Args:
        graph_cfg: `dict(layout=, mode=, max_hop=)`, see `PartitionGraph`.
        data_bn_type: 'VC': one BatchNorm for all persons; 'MVC': one each; None.
        num_person: M, which only 'MVC' needs to know.
        init_cfg: for all convolutions and BatchNorms; without it the authors' normal
            distribution. None keeps what MMAction2's parts start with.
        **kwargs: STGCN's others.

    Example:
        >>> model = PartitionSTGCN(dict(layout='kinect20', mode='distance'))
        >>> model(torch.rand(8, 2, 100, 20, 3)).shape
        torch.Size([8, 2, 256, 25, 20])
    """

    def __init__(
        self,
        graph_cfg: dict,
        data_bn_type: str | None = "VC",
        num_person: int = 2,
        init_cfg: dict | list[dict] | None = AUTHORS_INIT,
        **kwargs: Any,
    ) -> None:
        graph = PartitionGraph(**graph_cfg)
        super().__init__(
            {"layout": graph_layout(graph.layout), "mode": "binary_adj"},
            data_bn_type=data_bn_type,
            num_person=num_person,
            init_cfg=init_cfg,
            **kwargs,
        )
        self.graph = graph
        self.persons = num_person if data_bn_type == "MVC" else None
        # STGCN makes its graph itself, and knows neither our modes nor our layouts.
        for block in self.gcn:
            block.gcn = _on_graph(block.gcn, graph)
        if init_cfg is not None:
            _keep_one_init(self)

    def forward(self, x: Tensor) -> Tensor:
        """[N, M, T, V, C] -> [N, M, 4 * base_channels, T', V], T' = ceil(T / 4).

        Raises:
            DataError: persons, joints or channels are not those of the model (kind
                "shape").
        """
        check_keypoints(self, x, self.persons)
        return super().forward(x)


def _on_graph(unit: unit_gcn, graph: PartitionGraph) -> unit_gcn:
    """The same unit, anew, on another graph."""
    return unit_gcn(
        unit.in_channels,
        unit.out_channels,
        torch.tensor(graph.A, dtype=torch.float32),
        adaptive=unit.adaptive,
        conv_pos=unit.conv_pos,
        with_res=unit.with_res,
        norm=unit.norm_cfg,
        act=unit.act_cfg,
        init_cfg=unit.init_cfg,
    )


def _keep_one_init(backbone: BaseModule) -> None:
    """Parts have `init_cfg`s of their own, which would undo the backbone's."""
    for part in backbone.modules():
        if isinstance(part, BaseModule) and part is not backbone:
            part.init_cfg = None
