"""The branches of MS-TCN, side by side in one tensor.

The channels of h [N, T, V, C] are those of all branches after their first 1x1
convolution: D shares of w channels for the dilated convolutions, one of w for the
maximum, the rest for the branch of single frames. With a = relu(norm(h)), for every
stride-th frame t,

    out[t, share i] = b_i + sum_j  a[t + (j - 1) d_i, share i]  W_ij      j = 0, 1, 2
    out[t, share D] = max(a[t - 1], a[t], a[t + 1], share D)
    out[t, rest]    = h[t, rest]

where frames beyond the ends count as zero (as -inf in the maximum, which is the same:
a is not negative). Frames being the outer axis, a shifted sequence is a view: each tap
is one matrix product of as many rows as there are frames and joints, and the maximum
of shifted views is sixteen times as fast as torch's pooling of them.
"""

from typing import Iterator, List, Sequence, Tuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from .norm_relu import NormRelu, Statistics


def convolve_batch(
    a: Tensor,
    rest: Tensor,
    taps: Tensor,
    bias: Tensor,
    dilations: Sequence[int],
    stride: int,
) -> Tensor:
    """The equations by torch's own operators.

    Args:
        a: [N, T, V, (D + 1) w].
        rest: [N, T, V, C - (D + 1) w].
        taps: W [D, 3, w, w], the last two (from, to).
        bias: [D, w].
        dilations: D.
        stride: of the frames.

    Returns:
        [N, T', V, C].
    """
    *shares, pooled = a.permute(0, 3, 1, 2).chunk(len(dilations) + 1, 1)
    weights = taps.permute(0, 3, 2, 1)[..., None]  # (D, to, from, 3, 1)
    out = [
        F.conv2d(share, weight, b, (stride, 1), (dilation, 0), (dilation, 1))
        for share, weight, b, dilation in zip(shares, weights, bias, dilations)
    ]
    out.append(F.max_pool2d(pooled, (3, 1), (stride, 1), (1, 0)))
    out.append(rest[:, ::stride].permute(0, 3, 1, 2))
    return torch.cat(out, 1).permute(0, 2, 3, 1)


def convolve_sample(
    a: Tensor,
    rest: Tensor,
    taps: Tensor,
    bias: Tensor,
    dilations: Sequence[int],
    stride: int,
    out: Tensor,
) -> None:
    """The equations, for one sample and into a buffer.

    Args:
        a: [T, V, (D + 1) w].
        rest: [T, V, C - (D + 1) w].
        taps, bias, dilations, stride: as in `convolve_batch`.
        out: [T', V, C].
    """
    width = taps.shape[-1]
    phases, length = _phases(a, stride), len(out)
    for branch, dilation in enumerate(dilations):
        share = slice(branch * width, (branch + 1) * width)
        result = out[..., share]
        for tap, rows, frames in _taps(phases, dilation, length):
            frames, weight = frames[..., share].flatten(0, 1), taps[branch, tap]
            if tap == 1:  # comes first, and reaches every row
                result_rows = result.flatten(0, 1)
                torch.addmm(bias[branch], frames, weight, out=result_rows)
            else:
                result[rows].flatten(0, 1).addmm_(frames, weight)
    share = slice(len(dilations) * width, (len(dilations) + 1) * width)
    for tap, rows, frames in _taps(phases, 1, length):
        result = out[rows][..., share]
        if tap == 1:
            result.copy_(frames[..., share])
        else:
            torch.maximum(result, frames[..., share], out=result)
    out[..., share.stop :] = rest[::stride]


class TemporalBranches(torch.autograd.Function):
    """The equations, a sample at a time, and their gradients; only h is stored.

    `apply(h, mean, var, invstd, gamma, beta, taps, bias, dilations, stride)`: the
    statistics are h's own, of its first (D + 1) w channels, gamma and beta scale and
    shift of their norm; the others as in `convolve_sample`. Gives [N, T', V, C].
    """

    @staticmethod
    def forward(ctx, h, mean, var, invstd, gamma, beta, taps, bias, dilations, stride):
        ctx.save_for_backward(h, mean, var, invstd, gamma, beta, taps)
        ctx.dilations, ctx.stride = dilations, stride
        activation = NormRelu(h, Statistics(mean, var, invstd), gamma, beta)
        num_samples, frames, joints, channels = h.shape
        out = h.new_empty(num_samples, -(-frames // stride), joints, channels)
        with torch.autocast("cpu", enabled=False):
            for sample, result in zip(h, out):
                a, rest = activation.of(sample), sample[..., len(gamma) :]
                convolve_sample(a, rest, taps, bias, dilations, stride, result)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx, grad):
        h, mean, var, invstd, gamma, beta, taps = ctx.saved_tensors
        dilations, stride = ctx.dilations, ctx.stride
        activation = NormRelu(h, Statistics(mean, var, invstd), gamma, beta)
        grad = grad.contiguous()
        grad_h = torch.empty_like(h)
        grad_taps = torch.zeros_like(taps, dtype=gamma.dtype)
        width = taps.shape[-1]
        bias = grad[..., : len(dilations) * width].sum((0, 1, 2), dtype=gamma.dtype)
        inner, rest = slice(len(gamma)), slice(len(gamma), None)
        with torch.autocast("cpu", enabled=False):
            for sample, grad_sample, result in zip(h, grad_h, grad):
                a = activation.of(sample)
                grad_a = torch.zeros_like(a)
                _convolution_gradient(
                    a, taps, dilations, stride, result, grad_a, grad_taps
                )
                _maximum_gradient(a, width, stride, result[..., inner], grad_a)
                activation.backward(grad_a, sample)
                grad_sample[..., inner] = grad_a
                if stride > 1:
                    grad_sample[..., rest] = 0
                grad_sample[::stride, :, rest] = result[..., rest]
            grad_gamma, grad_beta = activation.finish(grad_h, h)
        grad_taps, bias = grad_taps.to(taps.dtype), bias.to(taps.dtype)
        bias = bias.view(len(dilations), width)
        return (
            *(grad_h, None, None, None, grad_gamma, grad_beta),
            *(grad_taps, bias, None, None),
        )


def _convolution_gradient(a, taps, dilations, stride, grad, grad_a, grad_taps):
    """Adds to `grad_a` and `grad_taps` what the dilated convolutions give."""
    width = taps.shape[-1]
    phases, grad_phases = _phases(a, stride), _zero_phases(grad_a, stride)
    for branch, dilation in enumerate(dilations):
        share = slice(branch * width, (branch + 1) * width)
        transposed = taps[branch].transpose(1, 2)
        pairs = zip(
            _taps(phases, dilation, len(grad)), _taps(grad_phases, dilation, len(grad))
        )
        for (tap, rows, frames), (_, _, grad_frames) in pairs:
            result = grad[rows][..., share].flatten(0, 1)
            grad_taps[branch, tap] += frames[..., share].flatten(0, 1).T @ result
            grad_frames = grad_frames[..., share].flatten(0, 1)
            grad_frames.addmm_(result, transposed[tap])
    _add_phases(grad_a, grad_phases)


def _maximum_gradient(a, width, stride, grad, grad_a):
    """Adds to `grad_a` what the maximum gives: to the first frame that attains it."""
    share = slice(a.shape[-1] - width, None)
    a, grad, grad_a = a[..., share], grad[..., share], grad_a[..., share]
    phases, grad_phases = _phases(a, stride), _zero_phases(grad_a, stride)
    largest = phases[0].clone()
    for _, rows, frames in _taps(phases, 1, len(grad)):
        torch.maximum(largest[rows], frames, out=largest[rows])
    left = grad.clone()  # what no earlier frame took
    pairs = zip(_taps(phases, 1, len(grad)), _taps(grad_phases, 1, len(grad)))
    in_order = sorted(pairs, key=lambda pair: pair[0][0])
    for (_, rows, frames), (_, _, grad_frames) in in_order:
        taken = left[rows] * (frames == largest[rows])
        grad_frames += taken
        left[rows] -= taken
    _add_phases(grad_a, grad_phases)


def _phases(a: Tensor, stride: int) -> List[Tensor]:
    """Frames 0, s, 2s ...; 1, s + 1 ...: [T, ...] -> s tensors [T / s, ...]."""
    return [a] if stride == 1 else [a[p::stride].contiguous() for p in range(stride)]


def _zero_phases(a, stride):
    """What to add gradients of `_phases` in: `a` itself, or zeros."""
    return [a] if stride == 1 else [torch.zeros_like(v) for v in _phases(a, stride)]


def _add_phases(a, phases):
    if len(phases) > 1:
        for phase, values in enumerate(phases):
            a[phase :: len(phases)] += values


def _taps(
    phases: List[Tensor], dilation: int, length: int
) -> Iterator[Tuple[int, slice, Tensor]]:
    """(tap, rows of the result that it reaches, frames that these rows read)."""
    for tap in (1, 0, 2):
        shift, phase = divmod((tap - 1) * dilation, len(phases))
        frames = phases[phase]
        first, last = max(0, -shift), min(length, len(frames) - shift)
        if first < last:
            yield tap, slice(first, last), frames[first + shift : last + shift]
