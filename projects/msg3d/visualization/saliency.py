"""Saliency of each joint in each frame, by integrated gradients.

    s(x) = x * integral over a in 0..1 of dm/dx(a x)

with m the logit of the class minus the mean of all logits, averaged over clips. An input
that is zero, such as an absent joint, has a saliency of zero, and the saliency of all
inputs adds up to m(x) - m(0).

Source: Sundararajan et al., "Axiomatic Attribution for Deep Networks", ICML 2017,
https://arxiv.org/abs/1703.01365. One step at a = 1 would be gradient times input.
"""

import numpy as np
import torch
from matplotlib.figure import Figure
from mmengine.model import BaseModel
from torch import Tensor


def integrated_gradients(
    model: BaseModel, inputs: Tensor, labels: Tensor, steps: int = 16
) -> Tensor:
    """The saliency of each joint in each frame.

    Args:
        model: a recognizer such as RecognizerGCN, in eval mode.
        inputs: [B, clips, M, T, V, C].
        labels: whose saliency, [B].
        steps: points of the integral, midpoints of as many parts; the cost is as many
            forward and backward passes.

    Returns:
        [B, clips, M, T, V], summed over the channels.
    """
    total = torch.zeros_like(inputs)
    for step in range(steps):
        point = (inputs * ((step + 0.5) / steps)).requires_grad_()
        (gradient,) = torch.autograd.grad(margin(model, point, labels).sum(), point)
        total += gradient
    return (inputs * total / steps).sum(-1)


def margin(model: BaseModel, inputs: Tensor, labels: Tensor) -> Tensor:
    """The logit of a class minus the mean of all logits, averaged over clips: [B]."""
    logits, _ = model.extract_feat(inputs, stage="head")
    logits = logits.float().unflatten(0, inputs.shape[:2]).mean(1)  # (B, classes)
    return logits.gather(1, labels[:, None])[:, 0] - logits.mean(1)


def saliency_figure(
    saliency: np.ndarray, joints: tuple[str, ...], title: str = ""
) -> Figure:
    """Heat map of joints over frames, summed over persons, with the sums of both axes.

    Red supports the class, blue opposes it.

    Args:
        saliency: [M, T, V].
        joints: V names.
        title: above.
    """
    total = saliency.sum(0)  # (T, V)
    most = max(float(np.abs(total).max()), 1e-12)
    places = np.arange(len(joints))
    figure = Figure(figsize=(10, 1.8 + 0.2 * len(joints)), layout="constrained")
    (over, corner), (ax, beside) = figure.subplots(
        2, 2, width_ratios=(4, 1), height_ratios=(1, 4)
    )
    corner.set_axis_off()
    ax.imshow(
        total.T,
        cmap="RdBu_r",
        vmin=-most,
        vmax=most,
        aspect="auto",
        interpolation="nearest",
    )
    ax.set_yticks(places, joints, fontsize=8)
    ax.set(xlabel="frame")
    frames = np.arange(len(total))
    over.fill_between(frames, total.sum(1), step="mid", alpha=0.6)
    over.axhline(0, color="0.5", linewidth=0.8)
    over.set(xlim=(-0.5, len(total) - 0.5), ylabel="of frames")
    over.set_xticks([])
    beside.barh(places, total.sum(0), alpha=0.6)
    beside.axvline(0, color="0.5", linewidth=0.8)
    beside.set(ylim=(len(joints) - 0.5, -0.5), xlabel="of joints")
    beside.set_yticks([])
    figure.suptitle(title)
    return figure
