"""Branches of MS-TCN, computed together on one tensor.

The channels of h [N, T, V, C] are those of all branches after their first 1x1
convolution: D shares of w channels for the dilated convolutions, one share of w
channels for max pooling, and the rest for the single-frame branch. With
a = relu(norm(h)), for every stride-th frame t,

    out[t, share i] = b_i + sum_j  a[t + (j - 1) d_i, share i]  W_ij      j = 0, 1, 2
    out[t, share D] = max(a[t - 1], a[t], a[t + 1], share D)
    out[t, rest]    = h[t, rest]

where frames beyond the ends are zero. Max pooling pads with -inf, which is equivalent
because a >= 0. Frames are the outer axis, so a shifted sequence is a view. Each tap is
one matrix product whose rows are frames and joints, and the maximum of shifted views
is sixteen times as fast as PyTorch's pooling.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from .by_sample import by_sample, channel_sums, groups, most_in_group, without_autocast
from .norm_relu import NormRelu, Statistics, relu_backward


def convolve_batch(
    a: Tensor,
    rest: Tensor,
    taps: Tensor,
    bias: Tensor,
    dilations: Sequence[int],
    stride: int,
) -> Tensor:
    """Compute all branches with PyTorch operators over the whole batch.

    Args:
        a: relu(norm(h)) without the rest, [N, T, V, (D + 1) w].
        rest: channels of the single-frame branch, [N, T, V, C - (D + 1) w].
        taps: weights W [D, 3, w, w]; the last two axes are (in, out).
        bias: biases of the dilated convolutions, [D, w].
        dilations: D dilations.
        stride: temporal stride.

    Returns:
        [N, T', V, C].
    """
    *shares, pooled = a.permute(0, 3, 1, 2).chunk(len(dilations) + 1, 1)
    weights = taps.permute(0, 3, 2, 1)[..., None]  # (D, out, in, 3, 1)
    out = [
        F.conv2d(share, weight, b, (stride, 1), (dilation, 0), (dilation, 1))
        for share, weight, b, dilation in zip(
            shares, weights, bias, dilations, strict=True
        )
    ]
    out.append(F.max_pool2d(pooled, (3, 1), (stride, 1), (1, 0)))
    out.append(rest[:, ::stride].permute(0, 3, 1, 2))
    return torch.cat(out, 1).permute(0, 2, 3, 1)


def folded_branches(
    h: Tensor,
    residual: Tensor,
    pool: Tensor,
    taps: Tensor,
    bias: Tensor,
    dilations: Sequence[int],
    stride: int,
) -> Tensor:
    """Compute branches plus residual for inference, with BatchNorm folded into h.

    Args:
        h: channels of all branches, [N, T, V, C]. May be overwritten.
        residual: [N, T', V, C].
        pool: scale and shift [2, w] applied after max pooling.
        taps, bias, dilations, stride: as in `convolve_batch`.

    Returns:
        [N, T', V, C].
    """
    width = bias.shape[1]
    inner = bias.numel() + width
    a, rest = h[..., :inner], h[..., inner:]
    if not by_sample(h):
        out = convolve_batch(a.relu_(), rest, taps, bias, dilations, stride)
        out[..., inner - width : inner].mul_(pool[0]).add_(pool[1])
        return out.add_(residual)
    out = torch.empty_like(residual, memory_format=torch.contiguous_format)
    frames, results = _sequences(a, most_in_group(h), dilations, stride)
    for rows in groups(h):
        frames.write(a[rows], partial(torch.clamp_min, min=0))
        _convolve(frames, taps, bias, dilations, results)
        results.shifted(0)[..., -width:].mul_(pool[0]).add_(pool[1])
        results.add(residual[rows][..., :inner], out[rows][..., :inner])
    torch.add(rest[:, ::stride], residual[..., inner:], out=out[..., inner:])
    return out


class TemporalBranches(torch.autograd.Function):
    """Memory-saving branches that are computed per group and store only h.

    `apply(h, mean, var, invstd, gamma, beta, taps, bias, dilations, stride)` returns
    [N, T', V, C]. The statistics are those of the first (D + 1) w channels of h. Gamma
    and beta are scale and shift of the BatchNorms of these channels. The other
    arguments are those of `convolve_batch`.
    """

    @staticmethod
    def forward(
        ctx: Any,
        h: Tensor,
        mean: Tensor,
        var: Tensor,
        invstd: Tensor,
        gamma: Tensor,
        beta: Tensor,
        taps: Tensor,
        bias: Tensor,
        dilations: Sequence[int],
        stride: int,
    ) -> Tensor:
        ctx.save_for_backward(h, mean, var, invstd, gamma, beta, taps)
        ctx.dilations, ctx.stride = dilations, stride
        activation = NormRelu(h, Statistics(mean, var, invstd), gamma, beta)
        inner = len(gamma)
        frames, results = _sequences(
            h[..., :inner], most_in_group(h), dilations, stride
        )
        out = h.new_empty(*_output_size(h, stride), *h.shape[2:])
        with without_autocast(h):
            for rows in groups(h):
                frames.write(h[rows], activation.forward)
                _convolve(frames, taps, bias, dilations, results)
                results.read(out[rows][..., :inner])
        out[..., inner:] = h[:, ::stride, :, inner:]
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        h, mean, var, invstd, gamma, beta, taps = ctx.saved_tensors
        dilations, stride = ctx.dilations, ctx.stride
        activation = NormRelu(h, Statistics(mean, var, invstd), gamma, beta)
        inner, width = len(gamma), taps.shape[-1]
        frames, results = _sequences(
            h[..., :inner], most_in_group(h), dilations, stride
        )
        grads, _ = _sequences(h[..., :inner], most_in_group(h), dilations, stride)
        grad_h = torch.zeros_like(h) if stride > 1 else torch.empty_like(h)
        grad_h[:, ::stride, :, inner:] = grad[..., inner:]
        grad = grad[..., :inner]
        grad_taps = torch.zeros_like(taps, dtype=gamma.dtype)
        grad_bias = channel_sums(grad[..., :-width])
        with without_autocast(h):
            for rows in groups(h):
                frames.write(h[rows], activation.forward)
                results.write(grad[rows])
                grads.clear(len(h[rows]))
                _spread(frames, taps, dilations, results, grads, grad_taps)
                grad_rows = grad_h[rows][..., :inner]
                grads.read_gradient(frames, grad_rows)
                activation.backward(grad_rows, h[rows])
            grad_gamma, grad_beta = activation.finish(grad_h, h)
        grad_bias = grad_bias.view(len(dilations), width)
        return (
            *(grad_h, None, None, None, grad_gamma, grad_beta),
            *(grad_taps.to(taps.dtype), grad_bias.to(taps.dtype), None, None),
        )


def _convolve(
    frames: "_Sequence",
    taps: Tensor,
    bias: Tensor,
    dilations: Sequence[int],
    results: "_Sequence",
) -> None:
    """Compute the branches of the samples in `frames`, and write them to `results`."""
    width = taps.shape[-1]
    results.samples = frames.samples
    result = results.shifted(0)
    for branch, dilation in enumerate(dilations):
        share = slice(branch * width, (branch + 1) * width)
        out = result[..., share].flatten(0, 1)  # (frames and joints, w)
        middle, *others = (_shifted(frames, tap, dilation, share) for tap in (1, 0, 2))
        torch.addmm(bias[branch], middle, taps[branch, 1], out=out)
        for side, tap in zip(others, (0, 2), strict=True):
            out.addmm_(side, taps[branch, tap])
    *_, last = range(0, result.shape[-1], width)
    pooled = result[..., last:]
    torch.maximum(
        frames.shifted(-1)[..., last:], frames.shifted(0)[..., last:], out=pooled
    )
    torch.maximum(pooled, frames.shifted(1)[..., last:], out=pooled)


def _spread(
    frames: "_Sequence",
    taps: Tensor,
    dilations: Sequence[int],
    grad: "_Sequence",
    grad_frames: "_Sequence",
    grad_taps: Tensor,
) -> None:
    """Add the gradients with respect to frames and taps to the last two arguments."""
    width = taps.shape[-1]
    for branch, dilation in enumerate(dilations):
        share = slice(branch * width, (branch + 1) * width)
        result = _shifted(grad, 1, 0, share)
        for tap in range(3):
            source = _shifted(frames, tap, dilation, share)
            grad_taps[branch, tap] += source.T @ result
            target = _shifted(grad_frames, tap, dilation, share)
            target.addmm_(result, taps[branch, tap].T)
    # Max pooling: the first frame that attains the maximum gets the gradient.
    share = slice(len(dilations) * width, None)
    remaining = grad.shifted(0)[..., share].clone()
    candidates = [frames.shifted(offset)[..., share] for offset in (-1, 0, 1)]
    largest = torch.maximum(torch.maximum(*candidates[:2]), candidates[2])
    for offset, candidate in zip((-1, 0, 1), candidates, strict=True):
        routed = remaining * (candidate == largest)
        grad_frames.shifted(offset)[..., share] += routed
        remaining -= routed


def _shifted(sequence: "_Sequence", tap: int, dilation: int, share: slice) -> Tensor:
    """Return one share of the frames that `tap` reads: [frames and joints, w]."""
    return sequence.shifted((tap - 1) * dilation)[..., share].flatten(0, 1)


def _output_size(x: Tensor, stride: int) -> tuple[int, int]:
    """Return (N, T') of x [N, T, ...]."""
    return len(x), -(-x.shape[1] // stride)


def _sequences(
    x: Tensor, most: int, dilations: Sequence[int], stride: int
) -> tuple["_Sequence", "_Sequence"]:
    """Return buffers for groups of x [N, T, V, C] and for their outputs.

    NOTE: the size is exactly that of the largest group. The rows of a gap read the
    values after them, and although the result is unused, zero times NaN is NaN.
    """
    gap = -(-max(1, *dilations) // stride)
    results = _output_size(x, stride)[1]
    return (
        _Sequence(x, most, x.shape[1], gap, stride),
        _Sequence(x, most, results, gap, 1),
    )


class _Sequence:
    """Buffer of concatenated samples [n, T, V, C], with zeros around each of them.

    A shift in time of all samples is then a view. With a stride s, frames 0, s, 2s, ...
    of the samples form one sequence (phase), frames 1, s + 1, ... the next.

    Args:
        x: [N, T, V, C], whose groups will be written.
        most: number of samples in the largest group.
        frames: T of the input, or T' of the output.
        gap: number of zero frames between samples, after applying the stride.
        stride: s.
    """

    def __init__(
        self, x: Tensor, most: int, frames: int, gap: int, stride: int
    ) -> None:
        self.frames, self.gap, self.stride = frames, gap, stride
        self.length = -(-frames // stride) + gap  # of a sample and its gap
        rows = most * self.length + 2 * gap
        self.values = x.new_empty(stride, rows, *x.shape[2:])
        self.values[:, :gap] = self.values[:, -gap:] = 0
        self.samples = most
        # A phase may be one frame shorter than the longest: its gap begins earlier.
        self._with_gaps()[:, :, frames // stride :] = 0

    def _phases(self) -> Iterator[tuple[slice, Tensor]]:
        """Yield (frames, view [n, T / s, V, C] of the samples) for each phase."""
        for phase, values in enumerate(self._with_gaps()):
            count = len(range(phase, self.frames, self.stride))
            yield slice(phase, None, self.stride), values[:, :count]

    def _with_gaps(self) -> Tensor:
        """Return a view [s, n, T / s + gap, V, C]."""
        inside = self.values[:, self.gap : self.gap + self.samples * self.length]
        return inside.unflatten(1, (self.samples, self.length))

    def write(
        self, samples: Tensor, function: Callable[..., Any] | None = None
    ) -> None:
        """Write samples, or `function(samples, out=...)`, to the buffer."""
        self.samples = len(samples)
        for frames, values in self._phases():
            if function is None:
                values.copy_(samples[:, frames])
            else:
                function(samples[:, frames], out=values)

    def read(self, samples: Tensor) -> None:
        """Copy the values of the buffer to `samples`."""
        for frames, values in self._phases():
            samples[:, frames] = values

    def read_gradient(self, active: "_Sequence", out: Tensor) -> None:
        """Write gradients of activations, after the ReLU, to `out`."""
        pairs = zip(self._phases(), active._phases(), strict=True)
        for (frames, grad), (_, values) in pairs:
            relu_backward(grad, values, out[:, frames])

    def add(self, samples: Tensor, out: Tensor) -> None:
        """Write the sum of the buffer and `samples` to `out`."""
        for frames, values in self._phases():
            torch.add(values, samples[:, frames], out=out[:, frames])

    def clear(self, samples: int) -> None:
        self.samples = samples
        self.values.zero_()

    def shifted(self, offset: int) -> Tensor:
        """Return a view [n (T / s + gap), V, C] whose frame t is frame s t + offset."""
        shift, phase = divmod(offset, self.stride)
        start = self.gap + shift
        return self.values[phase, start : start + self.samples * self.length]
