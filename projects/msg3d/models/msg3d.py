"""MS-G3D, the backbone.

Source: Liu et al., "Disentangling and Unifying Graph Convolutions for
Skeleton-Based Action Recognition", CVPR 2020, https://arxiv.org/abs/2003.14111,
with the state dict of MMAction2's project and of PYSKL.

Letters: N clips, M persons, T frames, V joints, C channels, K scales, w window.
"""

from collections.abc import Iterator
from typing import Any

import torch.nn.functional as F
from mmaction.registry import MODELS
from mmengine.model import BaseModule, Sequential
from torch import Tensor, nn

from ..errors import ConfigError
from .checkpointing import checkpointed
from .g3d import MultiWindowG3D
from .graph import NORMS, binary_adjacency, warn_of_repeated_scales
from .inference import Inference, can_fold
from .keypoint_shape import check_keypoints
from .ms_gcn import MSGCN
from .ms_tcn import MSTCN


@MODELS.register_module()
class MSG3D(BaseModule):
    """Three blocks; in each, a factorised and a space-time pathway are summed.

    Args:
        graph_cfg: `dict(layout=..., mode='binary_adj')`; the layout is a name of
            `msg3d.skeletons` or `dict(num_node=, inward=, center=)`.
        in_channels: C of the keypoints: 3 for (x, y, z) or (x, y, score).
        base_channels: channels of the first block; the next have 2 and 4 times as
            many.
        num_gcn_scales: K of the spatial graph; more than its diameter + 1 repeat
            themselves, which is warned of (published weights have 13 all the same).
        num_g3d_scales: K of the space-time graphs, likewise.
        num_person: M.
        tcn_dropout: probability, at the end of each block.
        graph_norm: of the adjacency matrices: `columns` as in MMAction2's port,
            `symmetric` as in the paper and the authors' weights.
        with_cp: whether to keep only what enters each part of a block in training,
            and compute the part again in the backward pass: less memory, more time,
            the same numbers.
        gcn_dropout: probability, in the graph convolution of the factorised pathway,
            of what each joint has gathered from its K neighbourhoods.
        g3d_dropout: the same in the space-time pathway.
        tcn_inner_dropout: probability, at the end of every dilated branch of every
            MS-TCN, and behind the two MS-TCNs of the factorised pathway.
        init_cfg: as everywhere in MMEngine.

    Example:
        >>> model = MSG3D(dict(layout='coco', mode='binary_adj'))
        >>> model(torch.rand(8, 2, 100, 17, 3)).shape
        torch.Size([8, 2, 384, 25, 17])
    """

    def __init__(
        self,
        graph_cfg: dict,
        in_channels: int = 3,
        base_channels: int = 96,
        num_gcn_scales: int = 13,
        num_g3d_scales: int = 6,
        num_person: int = 2,
        tcn_dropout: float = 0,
        graph_norm: str = "columns",
        with_cp: bool = False,
        gcn_dropout: float = 0,
        g3d_dropout: float = 0,
        tcn_inner_dropout: float = 0,
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        super().__init__(init_cfg=init_cfg)
        if graph_norm not in NORMS:
            raise ConfigError(
                f"MSG3D got graph_norm={graph_norm!r}, expected one of {sorted(NORMS)}",
                kind="option",
                field="graph_norm",
            )
        self.graph, adjacency = binary_adjacency(graph_cfg)
        warn_of_repeated_scales(
            self.graph,
            adjacency,
            num_gcn_scales=num_gcn_scales,
            num_g3d_scales=num_g3d_scales,
        )
        self.register_buffer("A", adjacency)  # unused; upstream's checkpoints hold it
        self.in_channels, self.num_person = in_channels, num_person
        self.data_bn = nn.BatchNorm1d(num_person * self.graph.num_node * in_channels)

        channels = in_channels
        for block in (1, 2, 3):
            first = block == 1
            out = base_channels * 2 ** (block - 1)
            # The first block widens in its graph convolutions, the others later.
            mid = out if first else channels
            stride = 1 if first else 2
            self.add_module(
                f"gcn3d{block}",
                MultiWindowG3D(
                    channels,
                    mid,
                    out,
                    adjacency,
                    num_g3d_scales,
                    stride,
                    norm=graph_norm,
                    dropout=g3d_dropout,
                ),
            )
            inner: dict[str, Any] = {
                "dropout": tcn_inner_dropout,
                "branch_dropout": tcn_inner_dropout,
            }
            self.add_module(
                f"sgcn{block}",
                Sequential(
                    MSGCN(
                        channels,
                        mid,
                        adjacency,
                        num_gcn_scales,
                        norm=graph_norm,
                        dropout=gcn_dropout,
                    ),
                    MSTCN(mid, out, stride, **inner),
                    MSTCN(out, out, activate=False, **inner),
                ),
            )
            inner.update(dropout=tcn_dropout)
            self.add_module(f"tcn{block}", MSTCN(out, out, **inner))
            channels = out
        self.with_cp = with_cp
        self._inference = Inference()

    def blocks(self) -> Iterator[tuple[Sequential, MultiWindowG3D, MSTCN]]:
        """Each block's pathways, factorised and space-time, and what follows them."""
        for block in (1, 2, 3):
            names = (f"sgcn{block}", f"gcn3d{block}", f"tcn{block}")
            yield tuple(getattr(self, name) for name in names)

    def forward(self, x: Tensor) -> Tensor:
        """[N, M, T, V, C] -> [N, M, 4 * base_channels, T', V], T' = ceil(T / 4).

        Raises:
            DataError: persons, joints or channels are not those of the model (kind
                "shape").
        """
        check_keypoints(self, x, self.num_person)
        if can_fold(self):
            x = self._inference(self, x)  # (N, M, T', V, C)
            return x.permute(0, 1, 4, 2, 3)
        clips, persons, frames, joints, channels = x.shape
        # Each (person, joint, channel) is normalised over clips and frames.
        x = x.permute(0, 1, 3, 4, 2).reshape(clips, -1, frames)  # (N, MVC, T)
        x = self.data_bn(x).view(clips * persons, joints, channels, frames)
        x = x.permute(0, 3, 1, 2).contiguous()  # (N*M, T, V, C)
        for sgcn, gcn3d, tcn in self.blocks():
            x = self._run(tcn, F.relu(self._run(sgcn, x) + self._run(gcn3d, x)))
        x = x.permute(0, 3, 1, 2)  # (N*M, C, T', V)
        return x.unflatten(0, (clips, persons))

    def _run(self, part: nn.Module, x: Tensor) -> Tensor:
        return checkpointed(part, x) if self.with_cp and self.training else part(x)

    def train(self, mode: bool = True) -> "MSG3D":
        """As everywhere in torch; forgets what inference keeps."""
        self._inference.forget()
        return super().train(mode)
