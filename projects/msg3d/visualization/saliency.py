"""How much each joint in each frame speaks for a class: integrated gradients.

    s(x) = x * integral over a in 0..1 of dm/dx(a x)

with m the logit of the class less the mean of all logits, averaged over clips. Where an
input is zero, as an absent joint is, so is its saliency, and all of an input's saliency
together is m(x) - m(0): it is accounted for to the last part.

Source: Sundararajan et al., "Axiomatic Attribution for Deep Networks", ICML 2017,
https://arxiv.org/abs/1703.01365. One step at a = 1 would be gradient times input.
"""

import torch
from torch import Tensor, nn


def integrated_gradients(
    model: nn.Module, inputs: Tensor, labels: Tensor, steps: int = 16
) -> Tensor:
    """The saliency of every joint of every frame.

    Args:
        model: a recogniser such as RecognizerGCN, in eval mode.
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


def margin(model: nn.Module, inputs: Tensor, labels: Tensor) -> Tensor:
    """The logit of a class less the mean of all logits, over clips: [B]."""
    logits, _ = model.extract_feat(inputs, stage="head")
    logits = logits.float().unflatten(0, inputs.shape[:2]).mean(1)  # (B, classes)
    return logits.gather(1, labels[:, None])[:, 0] - logits.mean(1)
