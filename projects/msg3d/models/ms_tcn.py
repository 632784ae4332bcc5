"""MS-TCN: temporal convolution at several dilations.

Source: MS-G3D, section 3.4 and figure 3(c); parameters named, shaped and
initialised as in MMAction2's port.
"""

from typing import Sequence

import torch
import torch.nn.functional as F
from mmaction.models.utils import unit_tcn
from mmengine.model import BaseModule, ModuleList, Sequential
from torch import Tensor, nn


class MSTCN(BaseModule):
    """Six branches over time, joined, plus a residual connection.

    Four branches convolve three frames at dilations 1 to 4, one takes a maximum of
    three frames, one a single frame.

    Args:
        in_channels: C.
        out_channels: O; each branch has O // 6, the last takes the remainder.
        stride: of the frames.
        dilations: one convolution branch each.
        dropout: probability, after the activation.
        activate: whether ReLU ends the module.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        stride: int = 1,
        dilations: Sequence[int] = (1, 2, 3, 4),
        dropout: float = 0,
        activate: bool = True,
    ) -> None:
        super().__init__(
            init_cfg=[
                dict(type="Constant", layer="BatchNorm2d", val=1),
                dict(type="Kaiming", layer="Conv2d", mode="fan_out"),
            ]
        )
        num_branches = len(dilations) + 2
        width = out_channels // num_branches
        last_width = out_channels - width * (num_branches - 1)

        def pointwise(channels: int) -> list:
            return [nn.Conv2d(in_channels, channels, 1), nn.BatchNorm2d(channels)]

        self.branches = ModuleList(
            Sequential(
                *pointwise(width),
                nn.ReLU(inplace=True),
                unit_tcn(width, width, kernel_size=3, stride=stride, dilation=dilation),
            )
            for dilation in dilations
        )
        self.branches.append(
            Sequential(
                *pointwise(width),
                nn.ReLU(inplace=True),
                nn.MaxPool2d((3, 1), stride=(stride, 1), padding=(1, 0)),
                nn.BatchNorm2d(width),
            )
        )
        self.branches.append(Sequential(*pointwise(last_width)))

        if in_channels == out_channels and stride == 1:
            self.residual = nn.Identity()
        else:
            self.residual = unit_tcn(in_channels, out_channels, kernel_size=1)
        self.stride, self.activate = stride, activate
        self.drop = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """[N, T, V, C] -> [N, T', V, O]."""
        x = x.permute(0, 3, 1, 2)  # (N, C, T, V), channels last in memory
        # What looks at single frames is given those that the stride keeps.
        # NOTE: the equal 1x1 convolution with a stride corrupts memory in bfloat16,
        # channels last, on the CPU (torch 2.13, oneDNN's backward pass).
        kept = x[:, :, :: self.stride]
        *branches, single_frame = self.branches
        out = torch.cat([*(branch(x) for branch in branches), single_frame(kept)], 1)
        out = out + self.residual(kept)
        if self.activate:
            out = F.relu(out, inplace=True)
        return self.drop(out).permute(0, 2, 3, 1)
