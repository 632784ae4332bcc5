"""Channels-last BatchNorm for several layers at once, and BatchNorm folding.

    y = scale * x + shift
    scale = weight / sqrt(var + eps), shift = bias - scale * mean

with the mean and variance over all axes of x [..., C] except the last. BatchNorms with
concatenated inputs are computed as one BatchNorm. The argument `norms` of the functions
contains BatchNorms for consecutive shares of the C channels.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from ..errors import DataError
from .by_sample import precise

Norms = Sequence[_BatchNorm]


def batch_norm(norms: Norms, x: Tensor, relu: bool = False) -> Tensor:
    """Apply `norms` to consecutive shares of the last axis of x [N, ..., C]."""
    image = as_image(x)
    if len(norms) == 1:
        image = norms[0](image)
    elif joinable(norms):
        image = _joint_norm(norms, image)
    else:
        shares = image.split([norm.num_features for norm in norms], 1)
        image = torch.cat(
            [norm(share) for norm, share in zip(norms, shares, strict=True)], 1
        )
    if relu:
        # NOTE: in place before the view is created; after it, autograd would copy.
        image = F.relu(image, inplace=True)
    return image.permute(0, 2, 3, 1).reshape(x.shape)


def normalize(
    x: Tensor, weight: Tensor, bias: Tensor, eps: float, relu: bool = False
) -> tuple[Tensor, Tensor, Tensor]:
    """Apply BatchNorm with the statistics of the batch to the last axis of x [N, ..., C].

    Returns:
        The output, and the mean and biased variance [C].

    Raises:
        DataError: there is only one value per channel (kind `shape`).
    """
    require_several_values(x)
    image, mean, invstd = torch.native_batch_norm(
        as_image(x.contiguous()), weight, bias, None, None, True, 0.0, eps
    )
    image = F.relu(image, inplace=True) if relu else image
    var = invstd.detach().square().reciprocal() - eps
    return image.permute(0, 2, 3, 1).reshape(x.shape), mean, var


def as_image(x: Tensor) -> Tensor:
    """View x [N, ..., C] as an image in channels-last format, [N, C, ..., 1]."""
    return x.reshape(len(x), -1, 1, x.shape[-1]).permute(0, 3, 1, 2)


def require_several_values(x: Tensor) -> None:
    """Raise DataError (kind `shape`) if x [..., C] has one value per channel."""
    if x.shape[:-1].numel() == 1:
        raise DataError(
            "BatchNorm got one value per channel in training, expected at least two. "
            "Use more clips or frames.",
            kind="shape",
        )


def joinable(norms: Norms) -> bool:
    """Return whether a single BatchNorm can replace all of `norms`."""

    def signature(norm: _BatchNorm) -> tuple[object, ...]:
        return (norm.training, norm.track_running_stats, norm.momentum, norm.eps)

    plain = all(type(norm) is nn.BatchNorm2d and norm.affine for norm in norms)
    return plain and len({signature(norm) for norm in norms}) == 1


def uses_batch_statistics(norms: Norms) -> bool:
    """Return whether `norms` can be joined and use the statistics of the batch."""
    return joinable(norms) and norms[0].training


def affine(norms: Norms) -> tuple[Tensor, Tensor]:
    """Return the concatenated weights and biases of `norms`, [C] each."""
    return (
        torch.cat([norm.weight for norm in norms]),
        torch.cat([norm.bias for norm in norms]),
    )


def _joint_norm(norms: Norms, image: Tensor) -> Tensor:
    first = norms[0]
    mean = var = None
    if first.track_running_stats:
        mean = torch.cat(_buffers(norms, "running_mean"))
        var = torch.cat(_buffers(norms, "running_var"))
    momentum = count_batch(norms)
    training = first.training or mean is None
    out = F.batch_norm(image, mean, var, *affine(norms), training, momentum, first.eps)
    if first.training and mean is not None and var is not None:
        _keep(norms, mean, var)
    return out


def count_batch(norms: Norms) -> float:
    """Count a training batch, and return its weight in the running statistics."""
    first = norms[0]
    if not (first.training and first.track_running_stats):
        return 0.0
    counts = _buffers(norms, "num_batches_tracked")
    for count in counts:
        count.add_(1)
    if first.momentum is None:  # a plain mean over batches
        return 1 / float(counts[0])
    return first.momentum


def _buffers(norms: Norms, name: str) -> list[Tensor]:
    """Return the buffer `name` of each of `norms`, which must track statistics."""
    return [getattr(norm, name) for norm in norms]


@torch.no_grad()
def _keep(norms: Norms, mean: Tensor, var: Tensor) -> None:
    sizes = [norm.num_features for norm in norms]
    torch._foreach_copy_(_buffers(norms, "running_mean"), mean.split(sizes))
    torch._foreach_copy_(_buffers(norms, "running_var"), var.split(sizes))


@torch.no_grad()
def keep_statistics(norms: Norms, mean: Tensor, var: Tensor, count: int) -> None:
    """Update the running statistics with those of a batch.

    Args:
        norms: BatchNorms in training mode.
        mean, var: mean and biased variance of the batch, [C].
        count: number of values per channel.
    """
    momentum = count_batch(norms)
    if not momentum:
        return
    sizes = [norm.num_features for norm in norms]
    var = var * (count / (count - 1))
    for name, value in (("running_mean", mean), ("running_var", var)):
        running = _buffers(norms, name)
        value = value.to(running[0].dtype)
        torch._foreach_lerp_(running, list(value.split(sizes)), momentum)


def fold(norm: _BatchNorm) -> tuple[Tensor, Tensor]:
    """Return (scale, shift) of `norm` in eval mode, [C] each, at least float32."""
    [mean], [var] = _buffers([norm], "running_mean"), _buffers([norm], "running_var")
    dtype = precise(mean.dtype)
    mean, var = mean.to(dtype), var.to(dtype)
    scale = (var + norm.eps).rsqrt()
    if norm.affine:
        scale = scale * norm.weight
    shift = -mean * scale
    return scale, shift + norm.bias if norm.affine else shift


def fold_linear(
    weight: Tensor, bias: Tensor, norm: _BatchNorm
) -> tuple[Tensor, Tensor]:
    """Return weight [O, ...] and bias [O] of a linear map with `norm` folded in."""
    scale, shift = fold(norm)
    return weight * scale.view(-1, *[1] * (weight.dim() - 1)), bias * scale + shift
