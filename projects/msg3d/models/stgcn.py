"""ST-GCN with all partition strategies, all layouts, and the authors' initialization.

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
    """MMAction2's STGCN on the graphs of `PartitionGraph`.

    The network and its parameter names are those of MMAction2, so checkpoints are
    interchangeable. The paper's options are `gcn_adaptive='importance'` (a learned
    weight per edge, the default) or None, and `tcn_dropout`, which does not apply to
    the first block: 0.5 for NTU RGB+D, 0 for Kinetics.

    Args:
        graph_cfg: `dict(layout=, mode=, max_hop=)`, see `PartitionGraph`.
        data_bn_type: 'VC' (one BatchNorm shared by all persons), 'MVC' (one per
            person), or None.
        num_person: number of persons, M, used only by 'MVC'.
        init_cfg: initialization of all convolutions and BatchNorms. By default, the
            authors' normal distribution. None keeps the initialization of MMAction2.
        **kwargs: other arguments of STGCN.

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
        # STGCN builds its own graph and does not support all modes and layouts.
        for block in self.gcn:
            block.gcn = _on_graph(block.gcn, graph)
        if init_cfg is not None:
            _drop_inner_init(self)

    def forward(self, x: Tensor) -> Tensor:
        """Map keypoints [N, M, T, V, C] to features [N, M, 4 * base_channels, T', V].

        T' is ceil(T / 4).

        Raises:
            DataError: the numbers of persons, joints, or channels differ from the
                model's (kind `shape`).
        """
        check_keypoints(self, x, self.persons)
        return super().forward(x)


def _on_graph(unit: unit_gcn, graph: PartitionGraph) -> unit_gcn:
    """Build a copy of `unit`, newly initialized, on another graph."""
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


def _drop_inner_init(backbone: BaseModule) -> None:
    """Drop the `init_cfg` of all parts, which would override the backbone's."""
    for part in backbone.modules():
        if isinstance(part, BaseModule) and part is not backbone:
            part.init_cfg = None
