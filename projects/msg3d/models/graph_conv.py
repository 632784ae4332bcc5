"""Graph convolution over sliding windows: the one product behind MS-GCN and G3D.

In a window of w frames every joint of every frame is a node. With K adjacency
matrices A_k [wV, wV] (source, target) and weights W_k [O, C], the output of
target (frame j, joint u) of the window that starts at frame t is

    z[t, u, j] = b + sum_k  sum_(i, v)  A_k[(i, v), (j, u)]  W_k x[t + i, v]

MS-GCN is the case w = 1. The sum can be taken in two orders with one result:

* aggregate first: gather over the nodes, K copies of C channels, then multiply
  by the weights, once for every frame of every window;
* transform first: multiply by the weights, once a frame (windows overlap, frames
  are shared), then gather K inputs of O channels.

The first pays where C < O (the coordinates that enter the network), the second
everywhere else. Channels come last, so both orders are plain matrix products.
"""

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable


def graph_conv(
    x: Tensor, adjacency: Tensor, weight: Tensor, bias: Tensor, window: int, stride: int
) -> Tensor:
    """Windows of `x`, convolved over their graph.

    Args:
        x: [N, T, V, C].
        adjacency: [K, wV, wV], indexed (scale, source, target), nodes (frame, joint).
        weight: [O, K*C].
        bias: [O].
        window: w, odd; frames beyond either end count as zero.
        stride: frames from one window to the next, s.

    Returns:
        [N, T', V, w, O] with T' = ceil(T / s).

    Raises:
        ValueError: the window is even, so that it has no middle frame.
    """
    if window % 2 == 0:
        raise ValueError(
            f"graph_conv got a window of {window} frames: expected an odd one"
        )
    num_scales, in_channels = len(adjacency), x.shape[-1]
    weight = weight.view(-1, num_scales, in_channels)  # (O, K, C)
    # (scale, frame, joint) of the source, then (frame, joint) of the target
    adjacency = adjacency.view(num_scales, window, x.shape[2], window, x.shape[2])
    if window > 1:
        x = F.pad(x, (0, 0, 0, 0, window // 2, window // 2))
    first = _aggregate_first if in_channels < len(weight) else _transform_first
    return first(x, adjacency, weight, bias, stride)


def _aggregate_first(x, adjacency, weight, bias, stride):
    num_scales, window, num_joints = adjacency.shape[:3]
    nodes = x.unfold(1, window, stride)  # (N, T', V, C, w)
    nodes = nodes.permute(0, 1, 3, 4, 2).flatten(3)  # (N, T', C, wV)
    gather = adjacency.permute(1, 2, 4, 3, 0).flatten(2).flatten(0, 1)  # (wV, VwK)
    support = (nodes @ gather).unflatten(3, (-1, num_scales))  # (N, T', C, Vw, K)
    support = support.permute(0, 1, 3, 4, 2).flatten(3)  # (N, T', Vw, KC)
    out = F.linear(support, weight.flatten(1), bias)  # (N, T', Vw, O)
    return out.unflatten(2, (num_joints, window))


def _transform_first(x, adjacency, weight, bias, stride):
    num_joints, window = adjacency.shape[2], adjacency.shape[1]
    out_channels = len(weight)
    y = F.linear(x, weight.permute(1, 0, 2).flatten(0, 1))  # (N, T, V, KO)
    y = y.view(*x.shape[:2], -1, out_channels)  # (N, T, VK, O)
    gather = adjacency.permute(4, 3, 1, 2, 0)  # (V, w | w, V, K)
    gather = gather.reshape(num_joints * window, -1).to(y.dtype)  # (Vw, wVK)
    if window == stride == 1:  # windows are frames: all of them are one batch
        y = y.flatten(0, 1)[None]
    out = GatherWindows.apply(gather, y, window, stride)  # (N, T', Vw, O)
    out = out.view(len(x), -1, num_joints, window, out_channels)
    return out + bias.to(out.dtype)


class GatherWindows(torch.autograd.Function):
    """`gather @ window` for every window of frames, without storing the windows.

    Windows are views that overlap: a product reads them in place, one sample at a
    time. By hand because autograd would store a copy of every window, and spread
    the gradient of the shared matrix over the batch before summing it.

    `apply(gather, y, window, stride)` takes gather [P, wQ] and y [N, T, Q, O] and
    gives [N, T', P, O], T' = (T - w) // s + 1.
    """

    @staticmethod
    def forward(ctx, gather, y, window, stride):
        y = y.contiguous()  # the views of windows count on it
        ctx.save_for_backward(gather, y)
        ctx.window, ctx.stride = window, stride
        num_windows = (y.shape[1] - window) // stride + 1
        out = y.new_empty(len(y), num_windows, len(gather), y.shape[-1])
        # NOTE: bmm of an expanded matrix; matmul would copy the windows instead.
        gather = gather.expand(num_windows, -1, -1)
        for sample, result in zip(y, out):
            torch.bmm(gather, _windows(sample, window, stride), out=result)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx, grad):
        gather, y = ctx.saved_tensors
        window, stride = ctx.window, ctx.stride
        grad = grad.contiguous()
        low = grad.dtype in (torch.bfloat16, torch.float16)
        grad_gather = torch.zeros_like(gather, dtype=torch.float32 if low else None)
        grad_y = torch.empty_like(y)
        scatter = gather.T.expand(grad.shape[1], -1, -1)
        for sample, grad_sample, grad_result in zip(y, grad_y, grad):
            nodes = _windows(sample, window, stride)  # (T', wQ, O)
            if low:  # one long product, since products sum up in float32 inside only
                left, right = (
                    v.transpose(0, 1).flatten(1) for v in (grad_result, nodes)
                )
                grad_gather += left @ right.T
            else:
                grad_gather.addbmm_(grad_result, nodes.transpose(1, 2))
            if window == stride == 1:
                torch.bmm(scatter, grad_result, out=grad_sample)
                continue
            grad_nodes = torch.bmm(scatter, grad_result)
            grad_nodes = grad_nodes.unflatten(1, (window, -1))  # (T', w, Q, O)
            last = (len(nodes) - 1) * stride + 1
            grad_sample.zero_()
            for frame in range(window):
                grad_sample[frame : frame + last : stride] += grad_nodes[:, frame]
        return grad_gather.to(gather.dtype), grad_y, None, None


def _windows(frames: Tensor, window: int, stride: int) -> Tensor:
    """[T, Q, O], contiguous -> overlapping views [T', wQ, O]."""
    num_frames, num_nodes, channels = frames.shape
    num_windows = (num_frames - window) // stride + 1
    step = num_nodes * channels
    return frames.as_strided(
        (num_windows, window * num_nodes, channels), (stride * step, channels, 1)
    )
