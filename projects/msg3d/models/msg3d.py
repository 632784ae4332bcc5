"""MS-G3D backbone.

Source: Liu et al., "Disentangling and Unifying Graph Convolutions for
Skeleton-Based Action Recognition", CVPR 2020, https://arxiv.org/abs/2003.14111.
The state dict is compatible with MMAction2's project and PYSKL.

Notation: N clips, M persons, T frames, V joints, C channels, K scales, w window.
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
from .graph import NORMS, binary_adjacency, warn_about_repeated_scales
from .inference import Inference, can_fold
from .keypoint_shape import check_keypoints
from .ms_gcn import MSGCN
from .ms_tcn import MSTCN


@MODELS.register_module()
class MSG3D(BaseModule):
    """MS-G3D backbone with three blocks.

    Each block adds a factorized and a space-time pathway, followed by an MS-TCN.

    Args:
        graph_cfg: `dict(layout=..., mode='binary_adj')`. The layout is a name from
            `msg3d.skeletons` or `dict(num_node=, inward=, center=)`.
        in_channels: channels of the keypoints, C: 3 for (x, y, z) or (x, y, score).
        base_channels: channels of the first block. The second block has twice and
            the third four times as many.
        num_gcn_scales: scales of the spatial graph. Scales beyond its diameter + 1 are
            redundant and cause a warning (published weights use 13 anyway).
        num_g3d_scales: scales of the space-time graphs, likewise.
        num_person: number of persons, M.
        tcn_dropout: dropout probability at the end of each block.
        graph_norm: normalization of the adjacency matrices, 'columns' as in MMAction2's
            port, or 'symmetric' as in the paper and the authors' weights.
        with_cp: use gradient checkpointing. Only the input of each part of a block is
            stored, and the part is recomputed in the backward pass. This saves memory,
            costs time, and leaves the results unchanged.
        gcn_dropout: dropout probability in the graph convolution of the factorized
            pathway.
        g3d_dropout: the same in the space-time pathway.
        dropout_position: position of both: 'aggregated', 'input', 'joints', 'channels',
            or 'output' (see MSGCN). The first is published, the others are faster.
        tcn_inner_dropout: dropout probability at the end of every dilated branch of
            every MS-TCN, and after both MS-TCNs of the factorized pathway.
        init_cfg: initialization config of MMEngine.

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
        dropout_position: str = "aggregated",
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        super().__init__(init_cfg=init_cfg)
        if graph_norm not in NORMS:
            raise ConfigError(
                f"MSG3D got graph_norm={graph_norm!r}, expected one of "
                f"{', '.join(sorted(NORMS))}",
                kind="option",
                field="graph_norm",
            )
        self.graph, adjacency = binary_adjacency(graph_cfg)
        warn_about_repeated_scales(
            self.graph,
            adjacency,
            num_gcn_scales=num_gcn_scales,
            num_g3d_scales=num_g3d_scales,
        )
        self.register_buffer("A", adjacency)  # unused, but in upstream's checkpoints
        self.in_channels, self.num_person = in_channels, num_person
        self.data_bn = nn.BatchNorm1d(num_person * self.graph.num_node * in_channels)

        channels = in_channels
        for block in (1, 2, 3):
            first = block == 1
            out = base_channels * 2 ** (block - 1)
            # The first block adds channels in its graph convolutions, later blocks
            # after them.
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
                    dropout_position=dropout_position,
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
                        dropout_position=dropout_position,
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
        """Yield (factorized pathway, space-time pathway, MS-TCN) of each block."""
        for block in (1, 2, 3):
            names = (f"sgcn{block}", f"gcn3d{block}", f"tcn{block}")
            yield tuple(getattr(self, name) for name in names)

    def forward(self, x: Tensor) -> Tensor:
        """Map keypoints [N, M, T, V, C] to features [N, M, 4 * base_channels, T', V].

        T' is ceil(T / 4).

        Raises:
            DataError: the numbers of persons, joints, or channels differ from the
                model's (kind `shape`).
        """
        check_keypoints(self, x, self.num_person)
        if can_fold(self):
            x = self._inference(self, x)  # (N, M, T', V, C)
            return x.permute(0, 1, 4, 2, 3)
        clips, persons, frames, joints, channels = x.shape
        # Normalize each (person, joint, channel) over clips and frames.
        x = x.permute(0, 1, 3, 4, 2).reshape(clips, -1, frames)  # (N, MVC, T)
        x = self.data_bn(x).view(clips * persons, joints, channels, frames)
        x = x.permute(0, 3, 1, 2).contiguous()  # (N*M, T, V, C)
        for sgcn, gcn3d, tcn in self.blocks():
            x = F.relu(self._run(sgcn, x) + self._run(gcn3d, x))  # (N*M, T', V, C')
            x = self._run(tcn, x)
        x = x.permute(0, 3, 1, 2)  # (N*M, C, T', V)
        return x.unflatten(0, (clips, persons))

    def _run(self, part: nn.Module, x: Tensor) -> Tensor:
        return checkpointed(part, x) if self.with_cp and self.training else part(x)

    def train(self, mode: bool = True) -> "MSG3D":
        """Set the mode as `nn.Module` does, and clear the cache of `Inference`."""
        self._inference.clear()
        return super().train(mode)
