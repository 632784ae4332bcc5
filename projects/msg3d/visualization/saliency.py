"""Saliency of each joint in each frame, by integrated gradients.

    s(x) = x * integral over a in 0..1 of dm/dx(a x)

Here m is the logit of the class minus the mean of all logits, averaged over clips. Inputs
that are zero, such as absent joints, have zero saliency. The saliency of all inputs sums
to m(x) - m(0).

Source: Sundararajan et al., "Axiomatic Attribution for Deep Networks", ICML 2017,
https://arxiv.org/abs/1703.01365. A single step at a = 1 equals gradient times input.
"""

import numpy as np
import torch
from matplotlib.figure import Figure
from mmengine.model import BaseModel
from torch import Tensor


def integrated_gradients(
    model: BaseModel, inputs: Tensor, labels: Tensor, steps: int = 16
) -> Tensor:
    """Return the saliency of each joint in each frame by integrated gradients.

    Args:
        model: recognizer in eval mode, such as `RecognizerGCN`.
        inputs: network inputs, [B, clips, M, T, V, C].
        labels: index of the class to explain for each sample, int64 [B].
        steps: number of points of the midpoint rule. Each point requires a forward and a
            backward pass.

    Returns:
        Saliency summed over the channels, [B, clips, M, T, V].
    """
    total = torch.zeros_like(inputs)
    for step in range(steps):
        point = (inputs * ((step + 0.5) / steps)).requires_grad_()
        (gradient,) = torch.autograd.grad(margin(model, point, labels).sum(), point)
        total += gradient
    return (inputs * total / steps).sum(-1)


def margin(model: BaseModel, inputs: Tensor, labels: Tensor) -> Tensor:
    """Return the logit of each label minus the mean logit, averaged over clips, [B]."""
    logits, _ = model.extract_feat(inputs, stage="head")
    logits = logits.float().unflatten(0, inputs.shape[:2]).mean(1)  # (B, classes)
    return logits.gather(1, labels[:, None])[:, 0] - logits.mean(1)


def saliency_figure(
    saliency: np.ndarray, joints: tuple[str, ...], title: str = ""
) -> Figure:
    """Plot the saliency of joints over frames as a heat map, with the sums of both axes.

    The saliency is summed over persons. Red supports the class, and blue opposes it.

    Args:
        saliency: saliency of one sequence, [M, T, V].
        joints: names of the V joints.
        title: title of the figure.
    """
    total = saliency.sum(0)  # (T, V)
    limit = max(float(np.abs(total).max()), 1e-12)
    positions = np.arange(len(joints))
    figure = Figure(figsize=(10, 1.8 + 0.2 * len(joints)), layout="constrained")
    (top, corner), (ax, right) = figure.subplots(
        2, 2, width_ratios=(4, 1), height_ratios=(1, 4)
    )
    corner.set_axis_off()
    ax.imshow(
        total.T,
        cmap="RdBu_r",
        vmin=-limit,
        vmax=limit,
        aspect="auto",
        interpolation="nearest",
    )
    ax.set_yticks(positions, joints, fontsize=8)
    ax.set(xlabel="frame")
    frames = np.arange(len(total))
    top.fill_between(frames, total.sum(1), step="mid", alpha=0.6)
    top.axhline(0, color="0.5", linewidth=0.8)
    top.set(xlim=(-0.5, len(total) - 0.5), ylabel="total")
    top.set_xticks([])
    right.barh(positions, total.sum(0), alpha=0.6)
    right.axvline(0, color="0.5", linewidth=0.8)
    right.set(ylim=(len(joints) - 0.5, -0.5), xlabel="total per joint")
    right.set_yticks([])
    figure.suptitle(title)
    return figure
