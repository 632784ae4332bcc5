"""Graph convolution over windows with joints before frames.

    y[(k, v), f] = W_k x[v, f]
    z[p, t] = b + sum_i  sum_(k, v)  gather_i[p, (k, v)]  y[(k, v), s t + i - w // 2]

The result is that of `transform_then_gather`. There, each window is one small product in
a batch. Here, all frames and output channels are columns of one large product per frame i
of the window, at the cost of copies of x and z. This pays if O is small, and in bfloat16 on
CPUs, where PyTorch's batched products first copy all overlapping windows.

Samples are processed in groups (see `by_sample`). Frames with the same remainder modulo s
(phases) are one sequence [V, L, C] of all samples of the group, with zeros around each
sample. Frame i of all windows is then a slice of columns.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from .by_sample import channel_sums, groups, precise, without_autocast


class JointsFirst(torch.autograd.Function):
    """Memory-saving graph convolution with the arguments of `TransformThenGather`."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        gather: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        scales: int,
        window: int,
        stride: int,
    ) -> Tensor:
        ctx.save_for_backward(x, gather, weight)
        ctx.sizes = scales, window, stride
        part = _Group(x, weight, scales, window, stride)
        taps, weights = part.arrange(gather), part.by_scale(weight)
        out = x.new_empty(len(x), part.windows, len(gather), part.channels)
        z = x.new_empty(len(gather), part.most * part.period * part.channels)
        with without_autocast(x):
            for rows in part.rows:
                part.write(x[rows])
                y = part.transform(weights)
                columns = z[:, : part.columns]
                sources = [part.slice(y[phase], shift) for phase, shift in part.taps]
                _sum_products(taps, sources, columns)
                result = part.by_sample(columns)  # (n, T', P, O)
                if bias is None:
                    out[rows] = result
                else:
                    torch.add(result, bias, out=out[rows])
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, gather, weight = ctx.saved_tensors
        scales, window, stride = ctx.sizes
        part = _Group(x, weight, scales, window, stride)
        taps, weights = part.arrange(gather), part.by_scale(weight)
        grad_x = torch.empty_like(x, memory_format=torch.contiguous_format)
        grad_taps = torch.zeros_like(taps, dtype=precise(x.dtype))
        grad_weight = torch.zeros_like(weight, dtype=precise(x.dtype))
        grads = x.new_zeros(len(gather), part.length, part.channels)
        spread = part.frames.new_empty(
            scales * part.joints, part.length * part.channels
        )
        with without_autocast(x):
            for rows in part.rows:
                part.write(x[rows])
                part.write_windows(grad[rows], grads)
                y = part.transform(weights)
                result = part.slice(grads, part.half)
                for i, (phase, shift) in enumerate(part.taps):
                    grad_taps[i] += result @ part.slice(y[phase], shift).T
                for phase, frames, target in part.phases(grad_x[rows]):
                    # Frame f of the phase is in window f + 2 half - shift of `grads`.
                    used = [i for i, (of, _) in enumerate(part.taps) if of == phase]
                    if not used:  # stride > window: the frames are in no window
                        target.zero_()
                        continue
                    starts = [2 * part.half - part.taps[i][1] for i in used]
                    sources = [part.slice(grads, start) for start in starts]
                    grad_y = spread[:, : part.columns]
                    _sum_products([taps[i].T for i in used], sources, grad_y)
                    by_node = grad_y.reshape(scales, -1, part.channels)
                    by_node = by_node.transpose(0, 1).flatten(1)  # (VL, KO)
                    grad_weight += by_node.T @ frames
                    part.read(by_node @ weight, target)
        return (
            grad_x,
            part.disarrange(grad_taps).to(gather.dtype),
            grad_weight.to(weight.dtype),
            channel_sums(grad).to(grad.dtype) if ctx.needs_input_grad[3] else None,
            *(None, None, None),
        )


def _sum_products(left: Iterable[Tensor], right: Iterable[Tensor], out: Tensor) -> None:
    """Write the sum of the matrix products of all pairs to `out`."""
    for i, (a, b) in enumerate(zip(left, right, strict=True)):
        if i == 0:
            torch.mm(a, b, out=out)
        else:
            torch.addmm(out, a, b, out=out)


class _Group:
    """Frames of a group of samples with joints first, and views of its sequences."""

    def __init__(
        self, x: Tensor, weight: Tensor, scales: int, window: int, stride: int
    ) -> None:
        frames, self.joints, in_channels = x.shape[1:]
        self.scales, self.window, self.stride = scales, window, stride
        self.channels = len(weight) // scales  # O
        self.rows = groups(x, frames * self.joints * len(weight)) if len(x) else []
        self.most = max((len(x[rows]) for rows in self.rows), default=0)
        self.windows = -(-frames // stride)  # T'
        middle = window // 2
        self.half = -(-middle // stride)  # windows of padding
        # Windows from one sample to the next. Neighbors share their padding.
        self.period = self.windows + (self.half if self.most > 1 else 0)
        self.length = self.most * self.period + 2 * self.half
        # (phase, first column) of each frame of the window
        self.taps = [
            ((i - middle) % stride, self.half + (i - middle) // stride)
            for i in range(window)
        ]
        self.frames = x.new_zeros(stride, self.joints, self.length, in_channels)
        self.samples = self.most

    @property
    def columns(self) -> int:
        """Number of columns of all windows of the group."""
        return self.samples * self.period * self.channels

    def arrange(self, gather: Tensor) -> Tensor:
        """Return gather [P, w, VK] as one matrix per frame of the window [w, P, KV]."""
        taps = gather.unflatten(2, (self.joints, self.scales))
        return taps.permute(1, 0, 3, 2).flatten(2)

    def disarrange(self, taps: Tensor) -> Tensor:
        """Invert `arrange`."""
        gather = taps.unflatten(2, (self.scales, self.joints))
        return gather.permute(1, 0, 3, 2).flatten(2)

    def by_scale(self, weight: Tensor) -> Tensor:
        """Return weight [KO, C] as [K, C, O]."""
        return weight.unflatten(0, (self.scales, -1)).transpose(1, 2)

    def _inner(self, sequence: Tensor) -> Tensor:
        """Return [Q, L, ...] without the padding, as [Q, n, period, ...]."""
        inner = sequence[:, self.half : self.half + self.samples * self.period]
        return inner.unflatten(1, (self.samples, self.period))

    def write(self, samples: Tensor) -> None:
        """Write samples [n, T, V, C]."""
        self.samples = len(samples)
        for phase, sequence in enumerate(self.frames):
            source = samples[:, phase :: self.stride].permute(2, 0, 1, 3)
            self._inner(sequence)[:, :, : source.shape[2]] = source

    def write_windows(self, grad: Tensor, grads: Tensor) -> None:
        """Write gradients [n, T', P, O] to `grads` [P, L, O]."""
        self._inner(grads)[:, :, : self.windows] = grad.permute(2, 0, 1, 3)
        grads[:, self.half + self.samples * self.period :] = 0

    def transform(self, weights: Tensor) -> Tensor:
        """Return y of all frames, [s, KV, L, O]."""
        shape = (self.stride, self.scales, self.joints, self.length, self.channels)
        y = self.frames.new_empty(shape)
        for phase in {phase for phase, _ in self.taps}:
            frames = self.frames[phase].flatten(0, 1)
            for scale, weight in enumerate(weights):
                torch.mm(frames, weight, out=y[phase, scale].flatten(0, 1))
        return y.flatten(1, 2)

    def slice(self, sequence: Tensor, start: int) -> Tensor:
        """Return the columns of all windows, [Q, columns], from [Q, L, O]."""
        first = start * self.channels
        return sequence.flatten(1)[:, first : first + self.columns]

    def by_sample(self, columns: Tensor) -> Tensor:
        """Return [P, columns] as [n, T', P, O]."""
        shape = (self.samples, self.period, self.channels)
        return columns.unflatten(1, shape)[:, :, : self.windows].permute(1, 2, 0, 3)

    def phases(self, target: Tensor) -> Iterator[tuple[int, Tensor, Tensor]]:
        """Yield (phase, its frames [V * columns / O, C], its part of `target`)."""
        for phase, sequence in enumerate(self.frames):
            frames = self._inner(sequence).reshape(-1, sequence.shape[-1])
            yield phase, frames, target[:, phase :: self.stride]

    def read(self, frames: Tensor, target: Tensor) -> None:
        """Write frames [V * columns / O, C] to `target` [n, T / s, V, C]."""
        frames = frames.view(self.joints, self.samples, self.period, -1)
        target.copy_(frames[:, :, : target.shape[1]].permute(1, 2, 0, 3))
