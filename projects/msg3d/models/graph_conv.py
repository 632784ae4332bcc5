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

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from ..errors import ConfigError
from .by_sample import as_multiplied, in_graph, precise
from .joints_first import JointsFirst
from .recompute import recomputed
from .transform_then_gather import TransformThenGather

# Output channels up to which products per window are too small. `JointsFirst` makes a
# training step with 24 channels 1.3 (w = 3) to 1.6 (w = 5) times as fast.
NARROW = 32


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
    if not in_graph():
        x, *others = as_multiplied(x, gather, weight, bias)
        small = window > 1 and len(weight) // scales <= NARROW
        function: Any = TransformThenGather
        if x.device.type == "cpu" and (small or x.dtype != precise(x.dtype)):
            function = JointsFirst
        return function.apply(x, *others, scales, window, stride)
    last = x.shape[1] - (x.shape[1] - 1) % stride  # exclusive end of the window starts

    def run(x: Tensor, gather: Tensor, weight: Tensor) -> Tensor:
        y = F.linear(_pad(x, window), weight)  # (N, T, V, KO)
        y = y.unflatten(3, (scales, -1)).flatten(2, 3)  # (N, T, VK, O)
        out, *others = (
            torch.einsum("pq,ntqo->ntpo", gather[:, i], y[:, i : i + last : stride])
            for i in range(window)
        )
        for other in others:
            out = out + other
        return out

    out = recomputed(run, x, gather, weight)
    return out if bias is None else out + bias


def _pad(x: Tensor, window: int) -> Tensor:
    half = window // 2
    return F.pad(x, (0, 0, 0, 0, half, half)) if half else x
