"""Graph convolution over sliding windows, the core operation of MS-GCN and G3D.

In a window of w frames, every joint of every frame is a node. With K adjacency
matrices A_k [wV, wV] (source, target) and weights W_k [O, C], the output at the
target node (frame j, joint u) of the window that starts at frame t is

    z[t, u, j] = b + sum_k  sum_(i, v)  A_k[(i, v), (j, u)]  W_k x[t + i, v]

MS-GCN is the case w = 1. The sum can be computed in two equivalent orders:

* aggregate first: gather C channels K times over the nodes, then multiply by the
  weights, for every frame of every window;
* transform first: multiply by the weights once per frame (overlapping windows share
  frames), then gather K inputs of O channels.

The order with fewer multiplications is used: aggregate first if C is small (the input
coordinates), transform first otherwise. Channels come last, so both orders are plain
matrix products.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

from ..errors import ConfigError
from .by_sample import as_multiplied, by_sample, precise


def graph_conv(
    x: Tensor, adjacency: Tensor, weight: Tensor, bias: Tensor, window: int, stride: int
) -> Tensor:
    """Apply the graph convolution to all windows of `x`.

    Args:
        x: [N, T, V, C].
        adjacency: [K, wV, wV], indexed (scale, source, target), nodes (frame, joint).
        weight: [O, K*C].
        bias: [O].
        window: w, odd. Frames beyond either end are zero.
        stride: frames from one window to the next, s.

    Returns:
        [N, T', V, w, O] with T' = ceil(T / s).

    Raises:
        ConfigError: the window is even and has no middle frame (kind `option`).
    """
    return apply_factors(x, arrange(adjacency, weight, window, stride), bias)


def dropped_graph_conv(
    x: Tensor,
    adjacency: Tensor,
    weight: Tensor,
    bias: Tensor,
    window: int,
    stride: int,
    drop: Callable[[Tensor], Tensor],
) -> Tensor:
    """Apply `graph_conv` with dropout between aggregation and weights.

    Always aggregates first. Only this order computes the values to drop, which are the
    aggregated features of each node per scale and channel.

    Args:
        x, adjacency, weight, bias, window, stride: as in `graph_conv`.
        drop: callable that applies dropout to [N, T', Vw, CK] (scales as fastest axis).

    Returns:
        [N, T', V, w, O].
    """
    factors = arrange(adjacency, weight, window, stride, aggregate_first=True)
    out = _aggregate_first(x, factors, bias, drop)
    return out.unflatten(2, (x.shape[2], window))


class Factors(NamedTuple):
    """The two matrices of a graph convolution, arranged for the chosen order."""

    aggregate_first: bool
    gather: Tensor  # aggregate first: [wV, VwK], transform first: [Vw, w, VK]
    weight: Tensor  # aggregate first: [O, CK], transform first: [KO, C]
    scales: int
    window: int
    stride: int


def arrange(
    adjacency: Tensor,
    weight: Tensor,
    window: int,
    stride: int,
    aggregate_first: bool = False,
) -> Factors:
    """Arrange adjacency and weights of `graph_conv` for the cheaper order.

    Args:
        adjacency, weight, window, stride: as in `graph_conv`.
        aggregate_first: use this order even if the other is cheaper.

    Raises:
        ConfigError: the window is even and has no middle frame (kind `option`).
    """
    if window % 2 == 0:
        raise ConfigError(
            f"window={window}, expected an odd number of frames",
            kind="option",
            field="window",
        )
    scales, joints = len(adjacency), adjacency.shape[1] // window
    weight = weight.view(len(weight), scales, -1)  # (O, K, C)
    out_channels, _, in_channels = weight.shape
    # (scale, frame, joint) of the source, then (frame, joint) of the target
    adjacency = adjacency.view(scales, window, joints, window, joints)
    first = aggregate_first or aggregates_first(
        joints, window, stride, in_channels, out_channels
    )
    if first:
        gather = adjacency.permute(1, 2, 4, 3, 0).flatten(2).flatten(0, 1)
        weight = weight.transpose(1, 2).flatten(1)
    else:
        gather = adjacency.permute(4, 3, 1, 2, 0)  # (V, w | w, V, K)
        gather = gather.reshape(joints * window, window, -1)
        weight = weight.permute(1, 0, 2).flatten(0, 1)
    return Factors(first, gather, weight, scales, window, stride)


def apply_factors(x: Tensor, factors: Factors, bias: Tensor | None) -> Tensor:
    """Apply `graph_conv` with optional bias: [N, T, V, C] -> [N, T', V, w, O]."""
    run = _aggregate_first if factors.aggregate_first else _transform_first
    out = run(x, factors, bias)  # (N, T', Vw, O)
    return out.unflatten(2, (x.shape[2], factors.window))


def aggregates_first(
    joints: int, window: int, stride: int, in_channels: int, out_channels: int
) -> bool:
    """Return whether aggregating first takes fewer multiplications."""
    nodes = window * joints
    aggregate: float = nodes * nodes * in_channels / stride
    aggregate += nodes * in_channels * out_channels / stride
    transform: float = joints * in_channels * out_channels
    transform += nodes * nodes * out_channels / stride
    return aggregate < transform


def _aggregate_first(
    x: Tensor,
    factors: Factors,
    bias: Tensor | None,
    drop: Callable[[Tensor], Tensor] | None = None,
) -> Tensor:
    _, gather, weight, scales, window, stride = factors
    nodes = _pad(x, window).unfold(1, window, stride)  # (N, T', V, C, w)
    nodes = nodes.permute(0, 1, 3, 4, 2).flatten(3)  # (N, T', C, wV)
    support = (nodes @ gather).unflatten(3, (-1, scales))  # (N, T', C, Vw, K)
    support = support.transpose(2, 3).flatten(3)  # (N, T', Vw, CK)
    support = support if drop is None else drop(support)
    return F.linear(support, weight, bias)


def _transform_first(x: Tensor, factors: Factors, bias: Tensor | None) -> Tensor:
    _, gather, weight, scales, window, stride = factors
    frames, joints = x.shape[1:3]
    if by_sample(x, frames * joints * len(weight)):
        tensors = as_multiplied(x, gather, weight, bias)
        return TransformThenGather.apply(*tensors, scales, window, stride)
    y = F.linear(_pad(x, window), weight)  # (N, T, V, KO)
    y = y.unflatten(3, (scales, -1)).flatten(2, 3)  # (N, T, VK, O)
    last = frames - (frames - 1) % stride  # exclusive end of the window starts
    out, *others = (
        torch.einsum("pq,ntqo->ntpo", gather[:, i], y[:, i : i + last : stride])
        for i in range(window)
    )
    for other in others if bias is None else (*others, bias):
        out = out + other
    return out


def _pad(x: Tensor, window: int) -> Tensor:
    half = window // 2
    return F.pad(x, (0, 0, 0, 0, half, half)) if half else x


class TransformThenGather(torch.autograd.Function):
    """Memory-saving `b + sum_i gather_i (W x)[s t + i]`, computed per sample.

    `apply(x, gather, weight, bias, K, w, s)` takes x [N, T, V, C], gather [P, w, VK],
    weight [KO, C], and bias [O] (or None) of the same dtype, and returns [N, T', P, O].

    Autograd would store y = W x, which is K times the size of x, and a copy of all its
    windows, which is w / s times larger still. Here windows are views of a buffer with
    y of a single sample, and the backward pass recomputes y.
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
        out_channels = len(weight) // scales
        num_windows = -(-x.shape[1] // stride)
        out = x.new_empty(len(x), num_windows, len(gather), out_channels)
        # NOTE: bmm of an expanded matrix, because matmul would copy the windows.
        gather = gather.flatten(1).expand(num_windows, -1, -1)
        transform = _Transform(x, weight, out_channels, window)
        with torch.autocast("cpu", enabled=False):
            for sample, result in zip(x, out, strict=True):
                y = transform.forward(sample)
                torch.bmm(gather, _windows(y, window, stride), out=result)
                if bias is not None:
                    result += bias
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, gather, weight = ctx.saved_tensors
        window, stride = ctx.window, ctx.stride
        # Accumulate over samples in float32 if the dtype is less precise.
        grad_x = torch.empty_like(x, memory_format=torch.contiguous_format)
        grad_weight, grad_bias = _zeros_like(weight), _zeros_like(grad[0, 0, 0])
        grad_gather = _zeros_like(gather.flatten(1))
        grads = (grad_x, grad_gather, grad_weight, grad_bias)
        backward = _frames_backward if window == stride == 1 else _windows_backward
        with torch.autocast("cpu", enabled=False):
            backward(x, gather, weight, grad, window, stride, *grads)
        return (
            grad_x,
            grad_gather.view(gather.shape).to(gather.dtype),
            grad_weight.to(weight.dtype),
            grad_bias.to(grad.dtype) if ctx.needs_input_grad[3] else None,
            *(None, None, None),
        )


def _windows_backward(
    x: Tensor,
    gather: Tensor,
    weight: Tensor,
    grad: Tensor,
    window: int,
    stride: int,
    grad_x: Tensor,
    grad_gather: Tensor,
    grad_weight: Tensor,
    grad_bias: Tensor,
) -> None:
    """Compute the gradients from y = W x, as in the forward pass."""
    out_channels = grad.shape[-1]
    transform = _Transform(x, weight, out_channels, window)
    spread = _Spread(gather, x.shape[1], out_channels, window, stride)
    for sample, grad_sample, result in zip(x, grad_x, grad, strict=True):
        y = transform.forward(sample)
        result = result.contiguous()
        nodes = _windows(y, window, stride).transpose(1, 2)
        grad_gather += torch.bmm(result, nodes).sum(0, dtype=grad_gather.dtype)
        grad_bias += result.sum((0, 1), dtype=grad_bias.dtype)
        for phase, grad_y in spread.backward(result):
            frames = sample[phase].flatten(0, 1)
            grad_y = grad_y.view(len(frames), -1)  # (TV / s, KO)
            grad_weight += grad_y.T @ frames
            grad_sample[phase] = (grad_y @ weight).view_as(sample[phase])


def _frames_backward(
    x: Tensor,
    gather: Tensor,
    weight: Tensor,
    grad: Tensor,
    window: int,
    stride: int,
    grad_x: Tensor,
    grad_gather: Tensor,
    grad_weight: Tensor,
    grad_bias: Tensor,
) -> None:
    """Compute the gradients by aggregating first, which is cheaper for w = s = 1."""
    frames, joints, in_channels = x.shape[1:]
    out_channels = grad.shape[-1]
    scales = len(weight) // out_channels
    by_node = gather.view(joints, joints, scales).transpose(1, 2).flatten(0, 1)
    collect, spread = (m.expand(frames, -1, -1) for m in (by_node, by_node.T))
    weight = weight.unflatten(0, (scales, -1)).transpose(0, 1).flatten(1)  # (O, KC)
    by_node_grad, weight_grad = _zeros_like(by_node), _zeros_like(weight)
    support = x.new_empty(frames, joints * scales, in_channels)  # (T, VK, C)
    for sample, grad_sample, result in zip(x, grad_x, grad, strict=True):
        torch.bmm(collect, sample, out=support)
        rows = result.flatten(0, 1)  # (TV, O)
        grad_bias += rows.sum(0, dtype=grad_bias.dtype)
        weight_grad += rows.T @ support.view(len(rows), -1)
        torch.mm(rows, weight, out=support.view(len(rows), -1))
        torch.bmm(spread, support, out=grad_sample)
        product = torch.bmm(support, sample.transpose(1, 2))
        by_node_grad += product.sum(0, dtype=by_node_grad.dtype)
    grad_gather += by_node_grad.unflatten(0, (joints, -1)).transpose(1, 2).flatten(1)
    weight_grad = weight_grad.unflatten(1, (scales, -1)).transpose(0, 1)
    grad_weight += weight_grad.flatten(0, 1)


class _Transform:
    """Buffer of y = W x [T + w - 1, VK, O] of one sample, padded with zeros."""

    def __init__(
        self, x: Tensor, weight: Tensor, out_channels: int, window: int
    ) -> None:
        frames, joints, _ = x.shape[1:]
        half = window // 2
        nodes = joints * len(weight) // out_channels
        self.weight = weight.T
        self.y = x.new_empty(frames + 2 * half, nodes, out_channels)
        self.y[:half] = self.y[half + frames :] = 0
        self.inner = self.y[half : half + frames].view(-1, len(weight))

    def forward(self, sample: Tensor) -> Tensor:
        torch.mm(sample.flatten(0, 1), self.weight, out=self.inner)
        return self.y


class _Spread:
    """Transpose of gathering, from gradients of windows [T', P, O] to frames.

    Frame f is frame i of window (f + w // 2 - i) / s. All frames with the same
    remainder (f + w // 2) mod s have the same values of i, and their windows are
    consecutive. For each remainder, spreading is therefore again a product with
    overlapping windows, this time of gradients.
    """

    def __init__(
        self, gather: Tensor, frames: int, out_channels: int, window: int, stride: int
    ) -> None:
        num_windows = -(-frames // stride)
        self.half = -(-window // stride)  # padding, in windows
        shape = (num_windows + 2 * self.half, len(gather), out_channels)
        self.padded = gather.new_zeros(shape)
        # (frames, their gradients, the factors of the gradients)
        self.products: list[tuple[slice, Tensor, tuple[Tensor, Tensor] | None]] = []
        for remainder in range(stride):
            first = (remainder - window // 2) % stride  # frame
            count = len(range(first, frames, stride))
            if not count:
                continue
            taps = list(range(remainder, window, stride))[::-1]
            out = gather.new_zeros(count, gather.shape[-1], out_channels)
            factors = None  # stride > window: these frames are in no window
            if taps:
                # Index in `padded` of the window with the first frame's last tap.
                start = self.half + (first + window // 2 - taps[0]) // stride
                nodes = _windows(self.padded[start:], len(taps), 1)[:count]
                scatter = gather[:, taps].permute(2, 1, 0).flatten(1)  # (Q, taps * P)
                factors = scatter.expand(count, -1, -1), nodes
            self.products.append((slice(first, None, stride), out, factors))

    def backward(self, grad: Tensor) -> Iterator[tuple[slice, Tensor]]:
        """Yield (frames, their gradients [T / s, Q, O]) for each remainder."""
        self.padded[self.half : self.half + len(grad)] = grad
        for phase, out, factors in self.products:
            if factors is not None:
                # NOTE: `out` is contiguous, otherwise bmm falls back to a loop.
                torch.bmm(*factors, out=out)
            yield phase, out


def _windows(frames: Tensor, window: int, stride: int) -> Tensor:
    """Return all windows of contiguous [T, Q, O] as overlapping views [T', wQ, O]."""
    num_frames, num_nodes, channels = frames.shape
    num_windows = (num_frames - window) // stride + 1
    step = num_nodes * channels
    return frames.as_strided(
        (num_windows, window * num_nodes, channels), (stride * step, channels, 1)
    )


def _zeros_like(tensor: Tensor) -> Tensor:
    return torch.zeros_like(tensor, dtype=precise(tensor.dtype))
