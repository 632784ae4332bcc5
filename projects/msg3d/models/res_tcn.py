"""Res-TCN: temporal convolutions over flattened frames, without a graph.

Source: Kim & Reiter, "Interpretable 3D Human Action Analysis with Temporal
Convolutional Networks", CVPR Workshops 2017, https://arxiv.org/abs/1704.04516, as
implemented by the "TCN" baseline of ST-GCN's code (v0.1.0, BSD-2-Clause).
"""

from mmaction.registry import MODELS
from mmengine.model import BaseModule
from torch import Tensor, nn

from .keypoint_shape import check_keypoints
from .partition import PartitionGraph

KERNEL = 9
HE_INIT = {"type": "Kaiming", "layer": "Conv1d", "mode": "fan_out"}


@MODELS.register_module()
class ResTCN(BaseModule):
    """Res-TCN backbone with nine pre-activation units.

    BatchNorm and a convolution precede the units, and BatchNorm and ReLU follow. Units
    4 and 7 double the channels and halve the frames. The persons, joints, and
    coordinates of a frame are flattened into channels, so the result has one person and
    one joint, as GCNHead expects.

    Args:
        graph_cfg: arguments of `PartitionGraph`. Only the number of joints is used.
        in_channels: channels of the keypoints, C.
        base_channels: channels of the first three units.
        num_person: number of persons, M.
        dropout: dropout probability in each unit, before the convolution over 9 frames.
        init_cfg: initialization config of MMEngine. By default, He normal.

    Example:
        >>> model = ResTCN(dict(layout='nturgb+d'))
        >>> model(torch.rand(8, 2, 300, 25, 3)).shape
        torch.Size([8, 1, 256, 75, 1])
    """

    def __init__(
        self,
        graph_cfg: dict,
        in_channels: int = 3,
        base_channels: int = 64,
        num_person: int = 2,
        dropout: float = 0.5,
        init_cfg: dict | list[dict] | None = HE_INIT,
    ) -> None:
        super().__init__(init_cfg=init_cfg)
        self.graph = PartitionGraph(**graph_cfg)
        self.in_channels, self.num_person = in_channels, num_person
        features = num_person * self.graph.num_node * in_channels
        self.data_bn = nn.BatchNorm1d(features)
        self.conv0 = nn.Conv1d(features, base_channels, KERNEL, padding=KERNEL // 2)
        units, channels = [], base_channels
        for unit in range(9):
            out = base_channels * 2 ** (unit // 3)
            units.append(ResTCNUnit(channels, out, dropout))
            channels = out
        self.units = nn.Sequential(*units)
        self.bn = nn.BatchNorm1d(channels)
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """Map keypoints [N, M, T, V, C] to features [N, 1, 4 * base_channels, T', 1].

        T' is ceil(T / 4).

        Raises:
            DataError: the numbers of persons, joints, or channels differ from the
                model's (kind `shape`).
        """
        check_keypoints(self, x, self.num_person)
        clips, _, frames, _, _ = x.shape
        x = x.permute(0, 1, 3, 4, 2).reshape(clips, -1, frames)  # (N, MVC, T)
        x = self.units(self.conv0(self.data_bn(x)))
        return self.relu(self.bn(x))[:, None, ..., None]


class ResTCNUnit(nn.Module):
    """Pre-activation convolution over 9 frames with a shortcut.

    If the number of channels changes, the frames are halved, and the shortcut is a
    pre-activation convolution over one frame.

    Args:
        in_channels: input channels, C.
        out_channels: output channels, O.
        dropout: dropout probability before the convolution.
    """

    def __init__(self, in_channels: int, out_channels: int, dropout: float) -> None:
        super().__init__()
        same = in_channels == out_channels
        stride = 1 if same else 2
        self.main = _pre_activation(in_channels, out_channels, KERNEL, stride, dropout)
        self.shortcut: nn.Module = nn.Identity()
        if not same:
            self.shortcut = _pre_activation(in_channels, out_channels, 1, stride, 0)

    def forward(self, x: Tensor) -> Tensor:
        """Map [N, C, T] to [N, O, T']."""
        return self.main(x) + self.shortcut(x)


def _pre_activation(
    in_channels: int, out_channels: int, kernel: int, stride: int, dropout: float
) -> nn.Sequential:
    return nn.Sequential(
        nn.BatchNorm1d(in_channels),
        nn.ReLU(),
        nn.Dropout(dropout),
        nn.Conv1d(in_channels, out_channels, kernel, stride, padding=kernel // 2),
    )
