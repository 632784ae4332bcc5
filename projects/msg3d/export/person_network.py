"""MS-G3D for groups of persons, in the operators that ONNX Runtime executes fastest.

The arithmetic is that of `models.inference`, but joints precede frames: x [R, C, V, T]
for R persons. A graph convolution over windows of w frames with stride s,

    z[p, t] = sum_(k, v, i)  A[p, (k, v), i]  y[(k, v), s t + i - w // 2],  y[(k, v)] = x[v] W_k

then consists of one matrix product with all K V rows y [R, KV, T, O], and of one
convolution over frames, whose input channels are pairs (scale, joint), and whose output
channels are the nodes p = (frame of the window, joint). ONNX Runtime collects the frames
of windows in blocks that stay in the cache. MS-TCN consists of convolutions over x.

As in `models.graph_conv`, layers with few input channels apply A before W.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..models.g3d import FoldedG3D
from ..models.inference import FoldedBlock, FoldedMSG3D
from ..models.ms_gcn import FoldedMSGCN
from ..models.ms_tcn import FoldedMSTCN


class PersonNetwork(nn.Module):
    """Map normalized persons [R, T, V, C] to pooled features [R, C'].

    Args:
        folded: MS-G3D in folded form.
    """

    def __init__(self, folded: FoldedMSG3D) -> None:
        super().__init__()
        self.blocks = nn.Sequential(*(_Block(block) for block in folded.blocks))

    def forward(self, x: Tensor) -> Tensor:
        return self.blocks(x.permute(0, 3, 2, 1)).mean((2, 3))


class _Block(nn.Module):
    def __init__(self, block: FoldedBlock) -> None:
        super().__init__()
        parts: Any = block.sgcn
        gcn, *tcns = parts
        self.sgcn = nn.Sequential(_MSGCN(gcn), *(_MSTCN(tcn) for tcn in tcns))
        self.gcn3d: Any = nn.ModuleList(_G3D(pathway) for pathway in block.gcn3d)
        self.tcn = _MSTCN(block.tcn)
        self.register_buffer("bias", block.bias[:, None, None])

    def forward(self, x: Tensor) -> Tensor:
        out = self.sgcn(x)
        for pathway in self.gcn3d:
            out = out + pathway(x)
        return self.tcn(torch.relu(out + self.bias))


class _GraphConv(nn.Module):
    """Graph convolution without bias: [R, C, V, T] -> [R, wV, T', O]."""

    gather: Tensor
    weight: Tensor

    def __init__(self, gcn: FoldedMSGCN) -> None:
        super().__init__()
        self.aggregate_first, (scales, window, stride) = gcn.aggregate_first, gcn.sizes
        self.window, self.stride, self.scales = window, stride, scales
        if self.aggregate_first:
            gather = gcn.gather.unflatten(0, (window, -1))  # (w, V, VwK)
            joints = gather.shape[1]
            gather = gather.unflatten(2, (joints, window, scales))  # (i, v | u, j, k)
            gather = gather.permute(3, 2, 4, 1, 0).reshape(-1, joints, 1, window)
            weight = gcn.weight.unflatten(1, (-1, scales))  # (O, C, K)
            weight = weight.permute(2, 1, 0).flatten(0, 1)  # (KC, O)
        else:
            joints = len(gcn.gather) // window
            gather = gcn.gather.unflatten(0, (joints, window))
            gather = gather.unflatten(3, (joints, scales))  # (u, j | i, v, k)
            gather = gather.permute(1, 0, 4, 3, 2).reshape(
                joints * window, scales * joints, window, 1
            )
            weight = gcn.weight.unflatten(0, (scales, -1)).transpose(1, 2)  # (K, C, O)
        self.register_buffer("gather", gather.contiguous())
        self.register_buffer("weight", weight.contiguous())

    def forward(self, x: Tensor) -> Tensor:
        steps, padding = (self.stride, 1), (self.window // 2, 0)
        if self.aggregate_first:
            x = F.conv2d(
                x.transpose(1, 2), self.gather, None, steps[::-1], padding[::-1]
            )  # (R, wVK, C, T')
            x = x.unflatten(1, (-1, self.scales)).flatten(2, 3)  # (R, wV, KC, T')
            return x.transpose(2, 3) @ self.weight
        y = x.flatten(2).transpose(1, 2)[:, None] @ self.weight  # (R, K, VT, O)
        y = y.unflatten(2, x.shape[2:]).flatten(1, 2)  # (R, KV, T, O)
        return F.conv2d(y, self.gather, None, steps, padding)


class _MSGCN(nn.Module):
    def __init__(self, gcn: FoldedMSGCN) -> None:
        super().__init__()
        self.conv = _GraphConv(gcn)
        self.register_buffer("bias", gcn.bias)

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.conv(x) + self.bias).permute(0, 3, 1, 2)


class _G3D(nn.Module):
    """G3D without bias, see `models.g3d.FoldedG3D`: [R, C, V, T] -> [R, O, V, T']."""

    floor: Tensor
    weight: Tensor

    def __init__(self, pathway: FoldedG3D) -> None:
        super().__init__()
        self.conv = _GraphConv(pathway.gcn)
        self.register_buffer("floor", pathway.floor)
        weight = pathway.weight.unflatten(1, (self.conv.window, -1))  # (O, w, mid)
        self.register_buffer("weight", weight.transpose(0, 1).contiguous())

    def forward(self, x: Tensor) -> Tensor:
        z = torch.maximum(self.conv(x), self.floor)  # (R, wV, T', mid)
        frames = z.unflatten(1, (self.conv.window, -1)).unbind(
            1
        )  # w of (R, V, T', mid)
        out: Any = sum(
            weight @ frame.flatten(1, 2).transpose(1, 2)
            for weight, frame in zip(self.weight, frames, strict=True)
        )
        return out.unflatten(2, frames[0].shape[1:3])


class _MSTCN(nn.Module):
    """MS-TCN: [R, C, V, T] -> [R, O, V, T']."""

    first: Tensor
    first_bias: Tensor
    single: Tensor
    single_bias: Tensor
    taps: Tensor
    taps_bias: Tensor
    pool: Tensor
    residual: Tensor | None
    residual_bias: Tensor | None

    def __init__(self, tcn: FoldedMSTCN) -> None:
        super().__init__()
        self.dilations, self.stride = tcn.dilations, tcn.stride
        self.activate = tcn.activate
        self.width = width = tcn.taps.shape[-1]
        inner = (len(tcn.dilations) + 1) * width

        def kernel(matrix: Tensor) -> Tensor:
            return matrix[:, :, None, None].contiguous()

        tensors: dict[str, Tensor | None] = {
            "first": kernel(tcn.pointwise[:inner]),
            "first_bias": tcn.pointwise_bias[:inner],
            "single": kernel(tcn.pointwise[inner:]),
            "single_bias": tcn.pointwise_bias[inner:],
            "taps": tcn.taps.permute(0, 3, 2, 1)[:, :, :, None].contiguous(),
            "taps_bias": tcn.taps_bias,
            "pool": tcn.pool[:, :, None, None].contiguous(),
        }
        residual = None if tcn.residual is None else kernel(tcn.residual)
        tensors.update(residual=residual, residual_bias=tcn.residual_bias)
        for name, tensor in tensors.items():
            self.register_buffer(name, tensor)

    def forward(self, x: Tensor) -> Tensor:
        steps = (1, self.stride)
        a = torch.relu(F.conv2d(x, self.first, self.first_bias))
        *shares, pooled = a.split(self.width, 1)
        parts = [
            F.conv2d(share, weight, bias, steps, (0, dilation), (1, dilation))
            for share, weight, bias, dilation in zip(
                shares, self.taps, self.taps_bias, self.dilations, strict=True
            )
        ]
        pooled = F.max_pool2d(pooled, (1, 3), steps, (0, 1))
        parts.append(pooled * self.pool[0] + self.pool[1])
        parts.append(F.conv2d(x, self.single, self.single_bias, steps))
        if self.residual is not None:
            x = F.conv2d(x, self.residual, self.residual_bias, steps)
        out = torch.cat(parts, 1) + x
        return torch.relu(out) if self.activate else out
