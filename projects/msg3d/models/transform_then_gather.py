"""Graph convolution over windows that stores only its input.

    y[f] = W x[f]
    z[t] = b + sum_i  gather_i  y[s t + i - w // 2]

with y [VK, O] for each frame f and z [P, O] for each window t of w frames with stride s.
Autograd would store y, which is K times the size of x, and a copy of all its windows,
which is w / s times larger still. Here windows are overlapping views of y, and the
backward pass computes y again.

Samples are processed in groups (see `by_sample`). The samples of a group form a sequence
with zeros between them, so that the windows of all samples are views of one buffer:

    0 0 | sample 0 ... | 0 0 | sample 1 ... | 0 0        w = 5

One sample takes G windows, of which the first T' are used.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from . import by_sample
from .by_sample import groups, precise, without_autocast

FRAME_ROWS = 2500  # minimum rows (frame, joint) of a group of frames


class TransformThenGather(torch.autograd.Function):
    """Memory-saving `b + sum_i gather_i (W x)[s t + i - w // 2]`.

    `apply(x, gather, weight, bias, K, w, s)` takes x [N, T, V, C], gather [P, w, VK],
    weight [KO, C], and bias [O] (or None) of the same dtype, and returns [N, T', P, O].
    """

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
        ctx.window, ctx.stride = window, stride
        gather = gather.flatten(1)
        shape = len(x), -(-x.shape[1] // stride), len(gather), len(weight) // scales
        result = x.new_empty(shape)
        if not len(x):
            return result
        x, out = (_by_frame(v, window, stride) for v in (x, result))
        transform = _Transform(x, weight, shape[-1], window, stride)
        with without_autocast(x):
            for rows in transform.groups:
                nodes = transform.windows(transform.forward(x[rows]))
                # NOTE: bmm of an expanded matrix: matmul would copy the windows.
                matrices = gather.expand(len(nodes), -1, -1)
                target = out[rows]
                if len(nodes) == target.shape[:2].numel():  # no padding
                    torch.bmm(matrices, nodes, out=target.flatten(0, 1))
                else:
                    z = torch.bmm(matrices, nodes).unflatten(0, (len(target), -1))
                    target.copy_(z[:, : target.shape[1]])
                if bias is not None:
                    target += bias
        return result

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, gather, weight = ctx.saved_tensors
        window, stride = ctx.window, ctx.stride
        # Accumulate over groups in float32 if the dtype is less precise.
        grads = _Gradients(
            torch.empty_like(x, memory_format=torch.contiguous_format),
            _zeros_like(gather.flatten(1)),
            _zeros_like(weight),
            weight.new_zeros(grad.shape[-1], dtype=precise(weight.dtype)),
        )
        if len(x):
            with without_autocast(x):
                if window == stride == 1:
                    _frames_backward(x, gather, weight, grad, grads)
                else:
                    _windows_backward(x, gather, weight, grad, grads, window, stride)
        return (
            grads.x,
            grads.gather.view(gather.shape).to(gather.dtype),
            grads.weight.to(weight.dtype),
            grads.bias.to(grad.dtype) if ctx.needs_input_grad[3] else None,
            *(None, None, None),
        )


class _Gradients(NamedTuple):
    """Gradients of the tensors, to be computed in place."""

    x: Tensor
    gather: Tensor  # [P, wVK]
    weight: Tensor
    bias: Tensor


def _by_frame(x: Tensor, window: int, stride: int) -> Tensor:
    """Return [N, T, ...] as [N T, 1, ...] if frames are independent samples."""
    return x.flatten(0, 1)[:, None] if window == stride == 1 else x


def _groups(x: Tensor, width: int) -> list[slice]:
    """Split the samples of x [N, T, V, C] for products with `width` columns."""
    frames, joints = x.shape[1:3]
    if frames == 1:  # with few rows, packing the weights of a wide product dominates
        width = min(width, by_sample.GROUP_ELEMENTS // FRAME_ROWS)
    return groups(x, frames * joints * width)


def _windows_backward(
    x: Tensor,
    gather: Tensor,
    weight: Tensor,
    grad: Tensor,
    grads: _Gradients,
    window: int,
    stride: int,
) -> None:
    """Compute the gradients from y = W x, as in the forward pass."""
    transform = _Transform(x, weight, grad.shape[-1], window, stride)
    spread = _Spread(gather, transform, grad.shape[-1])
    for rows in transform.groups:
        frames = transform.padded(x[rows])
        nodes = transform.windows(transform.multiply(frames))
        _add_products(grads.gather, spread.padded(grad[rows]), nodes)
        grads.bias.add_(grad[rows].sum((0, 1, 2), dtype=grads.bias.dtype))
        for phase, grad_y in spread.backward():
            samples = frames[:, phase].reshape(-1, x.shape[-1])
            grad_y = grad_y.view(len(samples), -1)  # (nVT / s, KO)
            grads.weight.add_(grad_y.T @ samples)
            part = (grad_y @ weight).view(frames[:, phase].shape)
            target = grads.x[rows][:, phase]
            target.copy_(part[:, : target.shape[1]])


def _add_products(total: Tensor, first: Tensor, second: Tensor) -> None:
    """Add the sum of all first[t] second[t]^T to `total`.

    Args:
        total: [P, Q].
        first: [B, P, O].
        second: [B, Q, O].
    """
    # The products together are larger than the factors, hence the chunks.
    step = max(1, second.numel() // total.numel())
    for start in range(0, len(first), step):
        chunk = slice(start, start + step)
        product = torch.bmm(first[chunk], second[chunk].transpose(1, 2))
        total += product.sum(0, dtype=total.dtype)


def _frames_backward(
    x: Tensor, gather: Tensor, weight: Tensor, grad: Tensor, grads: _Gradients
) -> None:
    """Compute the gradients by aggregating first, which is cheaper for w = s = 1."""
    joints, channels = x.shape[2:]
    scales = len(weight) // grad.shape[-1]
    by_node = gather.view(joints, joints, scales).transpose(1, 2).flatten(0, 1)
    weight = weight.unflatten(0, (scales, -1)).transpose(0, 1).flatten(1)  # (O, KC)
    by_node_grad, weight_grad = _zeros_like(by_node), _zeros_like(weight)
    parts = _groups(_by_frame(x, 1, 1), weight.shape[1])
    x, grad, grad_x = (v.flatten(0, 1) for v in (x, grad, grads.x))  # (NT, V, ...)
    buffer = x.new_empty(len(x[parts[0]]), joints * scales, channels)
    for rows in parts:
        frames = x[rows]
        support = buffer[: len(frames)]
        torch.bmm(by_node.expand(len(frames), -1, -1), frames, out=support)
        result = grad[rows].flatten(0, 1)  # (nV, O)
        grads.bias.add_(result.sum(0, dtype=grads.bias.dtype))
        weight_grad += result.T @ support.view(len(result), -1)
        torch.mm(result, weight, out=support.view(len(result), -1))
        torch.bmm(by_node.T.expand(len(frames), -1, -1), support, out=grad_x[rows])
        product = torch.bmm(support, frames.transpose(1, 2))
        by_node_grad += product.sum(0, dtype=by_node_grad.dtype)
    by_node_grad = by_node_grad.unflatten(0, (joints, -1)).transpose(1, 2)
    grads.gather.add_(by_node_grad.flatten(1))
    weight_grad = weight_grad.unflatten(1, (scales, -1)).transpose(0, 1)
    grads.weight.add_(weight_grad.flatten(0, 1))


class _Transform:
    """Buffer of y = W x of a group of samples, with zeros before, between, and after."""

    def __init__(
        self, x: Tensor, weight: Tensor, out_channels: int, window: int, stride: int
    ) -> None:
        frames, joints, channels = x.shape[1:]
        nodes = joints * len(weight) // out_channels
        self.groups = _groups(x, len(weight))
        self.window, self.stride, self.half = window, stride, window // 2
        self.most = most = len(x[self.groups[0]])
        # Frames from one sample to the next. Neighbors share their zeros.
        self.period = frames
        if most > 1 and not window == stride == 1:
            self.period = stride * -(-(frames + self.half) // stride)
        self.weight = weight.T
        self.y = x.new_empty(most * self.period + 2 * self.half, nodes, out_channels)
        self.y[: self.half] = 0
        self.frames = None
        if self.period > frames:
            self.frames = x.new_zeros(most, self.period, joints, channels)

    def padded(self, samples: Tensor) -> Tensor:
        """Return samples [n, T, V, C] as [n, period, V, C]."""
        if self.frames is None:
            return samples
        frames = self.frames[: len(samples)]
        frames[:, : samples.shape[1]] = samples
        return frames

    def multiply(self, frames: Tensor) -> Tensor:
        """Return y [n * period + 2 * (w // 2), VK, O] of padded samples."""
        count = frames.shape[:2].numel()
        y = self.y[: count + 2 * self.half]
        inner = y[self.half : self.half + count].view(-1, self.weight.shape[1])
        torch.mm(frames.reshape(len(inner), -1), self.weight, out=inner)
        y[self.half + count :] = 0
        return y

    def forward(self, samples: Tensor) -> Tensor:
        """Return y of samples [n, T, V, C]."""
        return self.multiply(self.padded(samples))

    def windows(self, y: Tensor) -> Tensor:
        """Return the windows of y as views [n * G, wVK, O]."""
        return _windows(y, self.window, self.stride)


class _Spread:
    """Transpose of gathering, from gradients of windows [nG, P, O] to frames.

    Frame f is frame i of window (f + w // 2 - i) / s. All frames with the same
    remainder (f + w // 2) mod s have the same values of i, and their windows are
    consecutive. For each remainder, spreading is therefore again a product with
    overlapping windows, this time of gradients.
    """

    def __init__(
        self, gather: Tensor, transform: _Transform, out_channels: int
    ) -> None:
        self.period = -(-transform.period // transform.stride)  # G
        self.window, self.stride = transform.window, transform.stride
        self.half = -(-self.window // self.stride)  # padding, in windows
        most = transform.most
        shape = (most * self.period + 2 * self.half, len(gather), out_channels)
        self.values = gather.new_zeros(shape)
        self.samples = 0  # in `values`
        # (frames, their gradients [most, T / s, Q, O], factors, first window)
        self.phases: list[tuple[slice, Tensor, Tensor | None, int]] = []
        for remainder in range(self.stride):
            first = (remainder - self.window // 2) % self.stride  # frame
            count = len(range(first, transform.period, self.stride))
            if not count:
                continue
            taps = list(range(remainder, self.window, self.stride))[::-1]
            out = gather.new_zeros(most, count, gather.shape[-1], out_channels)
            factors, start = None, 0  # stride > window: the frames are in no window
            if taps:
                # Index in `values` of the window with the first frame's last tap.
                start = self.half + (first + self.window // 2 - taps[0]) // self.stride
                factors = gather[:, taps].permute(2, 1, 0).flatten(1)  # (Q, taps * P)
            phase = slice(first, None, self.stride)
            self.phases.append((phase, out, factors, start))

    def padded(self, grad: Tensor) -> Tensor:
        """Store gradients [n, T', P, O], and return them with zeros, [nG, P, O]."""
        self.samples = len(grad)
        stop = self.half + self.samples * self.period
        inner = self.values[self.half : stop]
        inner.unflatten(0, (self.samples, -1))[:, : grad.shape[1]] = grad
        self.values[stop : stop + self.half] = 0
        return inner

    def backward(self) -> Iterator[tuple[slice, Tensor]]:
        """Yield (frames, their gradients [n * frames, Q, O]) for each remainder."""
        for phase, out, factors, start in self.phases:
            grad = out[: self.samples].flatten(0, 1)
            if factors is not None:
                taps = factors.shape[1] // self.values.shape[1]
                nodes = _windows(self.values[start:], taps, 1)[: len(grad)]
                # NOTE: `out` is contiguous, otherwise bmm falls back to a loop.
                torch.bmm(factors.expand(len(grad), -1, -1), nodes, out=grad)
            yield phase, grad


def _windows(frames: Tensor, window: int, stride: int) -> Tensor:
    """Return all windows of contiguous [T, Q, O] as overlapping views [T', wQ, O]."""
    num_frames, num_nodes, channels = frames.shape
    num_windows = (num_frames - window) // stride + 1
    step = num_nodes * channels
    return frames.as_strided(
        (num_windows, window * num_nodes, channels),
        (stride * step, channels, 1),
        frames.storage_offset(),
    )


def _zeros_like(tensor: Tensor) -> Tensor:
    return torch.zeros_like(tensor, dtype=precise(tensor.dtype))
