"""MS-TCN: temporal convolution with several dilations.

Source: MS-G3D, section 3.4 and figure 3(c). Parameters have the names, shapes, and
initialization of MMAction2's port.
"""

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from mmaction.models.utils import unit_tcn
from mmengine.model import BaseModule, ModuleList, Sequential
from torch import Tensor, nn

from .batch_norm import (
    affine,
    batch_norm,
    fold,
    fold_linear,
    keep_statistics,
    normalize,
    uses_batch_statistics,
)
from .by_sample import as_multiplied, by_sample
from .dropout import Dropout
from .norm_relu import batch_statistics
from .recompute import recomputed
from .temporal_branches import TemporalBranches, convolve_batch, folded_branches


class MSTCN(BaseModule):
    """Concatenated temporal branches plus a residual connection.

    One branch per dilation convolves three frames. Another branch applies max pooling
    over three frames, and the last branch uses single frames. All branches begin with a
    1x1 convolution of the same input, computed as one matrix product.

    Args:
        in_channels: input channels, C.
        out_channels: output channels, O. With four dilations, each branch has O // 6
            channels, and the last branch has all remaining channels.
        stride: temporal stride.
        dilations: dilations of the convolution branches.
        dropout: dropout probability of the output.
        activate: apply ReLU at the end.
        branch_dropout: dropout probability at the end of each dilated branch.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        stride: int = 1,
        dilations: Sequence[int] = (1, 2, 3, 4),
        dropout: float = 0,
        activate: bool = True,
        branch_dropout: float = 0,
    ) -> None:
        super().__init__(
            init_cfg=[
                {"type": "Constant", "layer": "BatchNorm2d", "val": 1},
                {"type": "Kaiming", "layer": "Conv2d", "mode": "fan_out"},
            ]
        )
        num_branches = len(dilations) + 2
        width = out_channels // num_branches
        last_width = out_channels - width * (num_branches - 1)

        def pointwise(channels: int) -> list[nn.Module]:
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
        self.dilations = tuple(dilations)
        self.drop = Dropout(dropout)
        self.branch_drop = Dropout(branch_dropout)

    @property
    def first_norms(self) -> list[nn.BatchNorm2d]:
        """BatchNorms before the ReLU of each branch; the last branch has no ReLU."""
        return [branch[1] for branch in self.branches[:-1]]

    @property
    def convs(self) -> list[Any]:
        """Temporal convolutions, each an `nn.Conv2d` with a bias."""
        return [branch[3].conv for branch in self.branches[:-2]]

    @property
    def last_norms(self) -> list[nn.BatchNorm2d]:
        """BatchNorms at the end of each branch."""
        *dilated, pooled, single = self.branches
        return [*(branch[3].bn for branch in dilated), pooled[4], single[1]]

    def pointwise(self) -> tuple[Tensor, Tensor]:
        """Join the first 1x1 convolutions into one matrix [O, C] and one bias [O]."""
        convs = [branch[0] for branch in self.branches]
        weight = torch.cat([conv.weight.flatten(1) for conv in convs])
        return weight, torch.cat([conv.bias for conv in convs])

    def taps(self) -> tuple[Tensor, Tensor]:
        """Stack weights [D, 3, w, w] and biases [D, w] of the temporal convolutions.

        D is the number of dilations, and w the number of channels per branch. The last
        two axes of the weights are (in, out).
        """
        weights = [conv.weight[..., 0].permute(2, 1, 0) for conv in self.convs]
        return torch.stack(weights), torch.stack([conv.bias for conv in self.convs])

    def forward(self, x: Tensor) -> Tensor:
        """Map [N, T, V, C] to [N, T', V, O]."""
        h = F.linear(x, *self.pointwise())  # (N, T, V, O), branches concatenated
        out = self._branches(h)
        if self.branch_drop.p and self.branch_drop.training:
            out = self._drop_branches(out)
        # Dropout before ReLU is equivalent, and autograd stores one tensor less.
        out = self.drop(out + self._residual(x))
        return F.relu(out, inplace=True) if self.activate else out

    def _branches(self, h: Tensor) -> Tensor:
        norms, last_norms = self.first_norms, self.last_norms
        width = sum(norm.num_features for norm in norms)
        weights, biases = as_multiplied(*self.taps())
        steps = self.dilations, self.stride
        if not all(uses_batch_statistics(n) for n in (norms, last_norms)):
            a = batch_norm(norms, h[..., :width], relu=True)
            out = convolve_batch(a, h[..., width:], weights, biases, *steps)
            return batch_norm(last_norms, out)
        if by_sample(h):
            statistics = batch_statistics(h.detach(), width, norms[0].eps)
            keep_statistics(norms, *statistics[:2], h.shape[:3].numel())
            tensors = *statistics, *affine(norms), weights, biases
            out = TemporalBranches.apply(h, *tensors, *steps)
            return batch_norm(last_norms, out)

        def run(h: Tensor, *tensors: Tensor) -> tuple[Tensor, ...]:
            gamma, beta, taps, bias, last_gamma, last_beta = tensors
            a, *first = normalize(h[..., :width], gamma, beta, norms[0].eps, relu=True)
            out = convolve_batch(a, h[..., width:], taps, bias, *steps)
            out, *last = normalize(out, last_gamma, last_beta, last_norms[0].eps)
            return out, *first, *last

        out, mean, var, last_mean, last_var = recomputed(
            run, h, *affine(norms), weights, biases, *affine(last_norms)
        )
        keep_statistics(norms, mean, var, h.shape[:3].numel())
        keep_statistics(last_norms, last_mean, last_var, out.shape[:3].numel())
        return out

    def _drop_branches(self, out: Tensor) -> Tensor:
        width = sum(conv.out_channels for conv in self.convs)
        dilated, others = out[..., :width], out[..., width:]
        return torch.cat([self.branch_drop(dilated), others], -1)

    def _residual(self, x: Tensor) -> Tensor:
        if isinstance(self.residual, nn.Identity):
            return x
        # NOTE: slice instead of a 1x1 convolution with a stride: its backward pass
        # corrupts memory on CPU in channels-last bfloat16 (torch 2.13, oneDNN).
        conv, norm = self.residual.conv, self.residual.bn
        x = F.linear(x[:, :: self.stride], conv.weight.flatten(1), conv.bias)
        return batch_norm([norm], x)

    def fold(self) -> "FoldedMSTCN":
        """Return an equivalent module for inference with folded BatchNorms."""
        return FoldedMSTCN(self)


class FoldedMSTCN(nn.Module):
    """MSTCN for inference with folded BatchNorms, except after max pooling."""

    pointwise: Tensor
    pointwise_bias: Tensor
    taps: Tensor
    taps_bias: Tensor
    pool: Tensor
    residual: Tensor | None
    residual_bias: Tensor | None

    def __init__(self, module: MSTCN) -> None:
        super().__init__()
        self.dilations, self.stride = module.dilations, module.stride
        self.activate = module.activate
        *dilated, pooled, _single = module.branches
        firsts = [
            fold_linear(branch[0].weight.flatten(1), branch[0].bias, branch[1])
            for branch in module.branches
        ]
        seconds = [
            fold_linear(branch[3].conv.weight, branch[3].conv.bias, branch[3].bn)
            for branch in dilated
        ]
        weights: dict[str, Tensor | None] = {
            "pointwise": torch.cat([weight for weight, _ in firsts]),
            "pointwise_bias": torch.cat([bias for _, bias in firsts]),
            "taps": torch.stack([w[..., 0].permute(2, 1, 0) for w, _ in seconds]),
            "taps_bias": torch.stack([bias for _, bias in seconds]),
            "pool": torch.stack(fold(pooled[4])),
        }
        weight = bias = None
        if not isinstance(module.residual, nn.Identity):
            conv, norm = module.residual.conv, module.residual.bn
            weight, bias = fold_linear(conv.weight.flatten(1), conv.bias, norm)
        weights.update(residual=weight, residual_bias=bias)
        for name, value in weights.items():
            self.register_buffer(name, value)

    def forward(self, x: Tensor) -> Tensor:
        h = F.linear(x, self.pointwise, self.pointwise_bias)
        if self.residual is not None:
            x = F.linear(x[:, :: self.stride], self.residual, self.residual_bias)
        taps = (self.taps, self.taps_bias, self.dilations, self.stride)
        out = folded_branches(h, x, self.pool, *taps)
        return out.relu_() if self.activate else out
