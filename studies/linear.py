"""Logistic and ridge regression, with the penalty chosen by cross-validation over groups.

Weights W [D, K] and biases b [K] minimize the mean loss plus penalty / 2 * |W|^2, where the
loss is the cross-entropy or half the squared error. Features are standardized by their mean
and standard deviation over the training samples.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

PENALTIES = tuple(10.0**power for power in range(-5, 4))
Fit = Callable[[Tensor, Tensor, float], tuple[Tensor, Tensor]]


def logistic(inputs: Tensor, targets: Tensor, penalty: float) -> tuple[Tensor, Tensor]:
    """Fit a multinomial logistic regression with L-BFGS.

    Args:
        inputs: float64 [N, D].
        targets: float64 [N, K], one-hot.
        penalty: factor of the squared weights.

    Returns:
        Weights [D, K] and biases [K].
    """
    weight = inputs.new_zeros(inputs.shape[1], targets.shape[1], requires_grad=True)
    bias = inputs.new_zeros(targets.shape[1], requires_grad=True)
    lbfgs = torch.optim.LBFGS(
        [weight, bias],
        max_iter=1000,
        tolerance_grad=1e-6,
        line_search_fn="strong_wolfe",
    )

    def loss() -> Tensor:
        lbfgs.zero_grad()
        scores = inputs @ weight + bias
        entropy = torch.nn.functional.cross_entropy(scores, targets)
        total = entropy + penalty / 2 * weight.square().sum()
        total.backward()
        return total

    lbfgs.step(loss)
    return weight.detach(), bias.detach()


def ridge(inputs: Tensor, targets: Tensor, penalty: float) -> tuple[Tensor, Tensor]:
    """Fit a ridge regression. Arguments and result are those of `logistic`."""
    center, bias = inputs.mean(0), targets.mean(0)
    centered = inputs - center
    gram = centered.T @ centered / len(inputs)
    gram.diagonal().add_(penalty)
    weight = torch.linalg.solve(gram, centered.T @ (targets - bias) / len(inputs))
    return weight, bias - center @ weight


def predict(
    fit: Fit, inputs: Tensor, targets: Tensor, queries: Tensor, penalty: float
) -> Tensor:
    """Standardize the features, fit, and return the scores of the queries, [Q, K]."""
    mean = inputs.mean(0)
    std = ((inputs - mean).square().sum(0) / (len(inputs) - 1)).sqrt()
    std = torch.where(std > 1e-6, std, 1)  # such as of the joint in the origin
    weight, bias = fit((inputs - mean) / std, targets, penalty)
    return (queries - mean) / std @ weight + bias


def choose_penalty(
    fit: Fit,
    error: Callable[[Tensor, Tensor], float],
    inputs: Tensor,
    targets: Tensor,
    groups: Sequence[str],
) -> float:
    """Return the penalty with the smallest error on groups that are left out.

    Args:
        fit: `logistic` or `ridge`.
        error: maps scores and targets [N, K] to an error.
        inputs: float64 [N, D].
        targets: float64 [N, K].
        groups: group of each sample. Each group is left out once.
    """
    totals = dict.fromkeys(PENALTIES, 0.0)
    for group in sorted(set(groups)):
        out = torch.tensor([name == group for name in groups])
        for penalty in PENALTIES:
            scores = predict(fit, inputs[~out], targets[~out], inputs[out], penalty)
            totals[penalty] += error(scores, targets[out])
    return min(PENALTIES, key=lambda penalty: totals[penalty])
