"""Linear models of the studies: the optimum, and the choice of the penalty."""

import pytest
import torch

from studies.linear import PENALTIES, choose_penalty, logistic, predict, ridge


@pytest.fixture
def data():
    """Inputs [60, 4] and targets [60, 3] with noise."""
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(60, 4, generator=generator, dtype=torch.float64)
    noise = torch.randn(60, 3, generator=generator, dtype=torch.float64)
    return inputs, inputs[:, :3] + 0.5 * noise


def loss_of(fit, inputs, targets, penalty, weight, bias):
    scores = inputs @ weight + bias
    loss = (scores - targets).square().sum(1).mean() / 2
    if fit is logistic:
        loss = torch.nn.functional.cross_entropy(scores, targets)
    return loss + penalty / 2 * weight.square().sum()


@pytest.mark.parametrize("fit", [logistic, ridge])
@pytest.mark.parametrize("penalty", [0.01, 1.0])
def test_gradient_is_zero(fit, penalty, data):
    inputs, targets = data
    if fit is logistic:
        targets = torch.eye(3, dtype=torch.float64)[targets.argmax(1)]
    parameters = fit(inputs, targets, penalty)
    for parameter in parameters:
        parameter.requires_grad_()
    loss = loss_of(fit, inputs, targets, penalty, *parameters)
    for gradient in torch.autograd.grad(loss, parameters):
        assert gradient.abs().max() < 1e-4


def test_predictions_do_not_depend_on_units(data):
    inputs, targets = data
    scores = predict(ridge, inputs, targets, inputs, 0.1)
    moved = 100 * inputs + 7
    torch.testing.assert_close(predict(ridge, moved, targets, moved, 0.1), scores)
    constant = torch.cat([inputs, torch.ones(60, 1)], 1)
    torch.testing.assert_close(predict(ridge, constant, targets, constant, 0.1), scores)


def test_penalty_is_chosen_on_other_groups(data):
    inputs, targets = data
    groups = ["a", "b", "c"] * 20

    def error(scores, truth):
        return float((scores - truth).square().mean())

    assert choose_penalty(ridge, error, inputs, targets, groups) < 1
    # The relation of the first input to the target has another sign in each group.
    sign = torch.tensor([1.0, -1.0, 0.0] * 20, dtype=torch.float64)[:, None]
    misleading = inputs[:, :1] * sign
    chosen = choose_penalty(ridge, error, inputs[:, :1], misleading, groups)
    assert chosen == max(PENALTIES)
