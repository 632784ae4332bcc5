"""Functions that store only their inputs for the backward pass."""

import torch

from msg3d.models.recompute import recomputed
from networks import assert_close


def stored(run):
    """Return the tensors that autograd stores in `run()`, and its result."""
    tensors = []
    keep = torch.autograd.graph.saved_tensors_hooks(
        lambda tensor: tensors.append(tensor) or tensor, lambda tensor: tensor
    )
    with keep:
        out = run()
    return tensors, out


def function(x, weight, constant):
    hidden = (x @ weight).sigmoid() * constant
    return hidden.tanh(), hidden.mean(0)


def tensors():
    torch.manual_seed(0)
    x, weight = (torch.rand(size, dtype=torch.double) for size in ((5, 3), (3, 4)))
    return x.requires_grad_(), weight.requires_grad_(), torch.rand(4).double()


def test_only_inputs_are_stored():
    inputs = tensors()
    saved, (out, mean) = stored(lambda: recomputed(function, *inputs))
    assert [tensor.data_ptr() for tensor in saved] == [t.data_ptr() for t in inputs]
    assert out.requires_grad
    assert not mean.requires_grad


def test_gradients_match():
    inputs = tensors()
    actual, expected = recomputed(function, *inputs)[0], function(*inputs)[0]
    assert torch.equal(actual, expected)
    grads = [
        torch.autograd.grad(out.square().sum(), inputs[:2])
        for out in (actual, expected)
    ]
    for first, second in zip(*grads, strict=True):
        assert_close(first, second, 1e-14)


def test_two_applications_accumulate():
    grads = []
    for apply in (recomputed, lambda function, *inputs: function(*inputs)):
        x, weight, constant = tensors()
        (out, _), (again, _) = (
            apply(function, value, weight, constant) for value in (x, x.flip(0))
        )
        (out * again).sum().backward()
        grads.append((x.grad, weight.grad))
    for first, second in zip(*grads, strict=True):
        assert_close(first, second, 1e-14)


def test_nothing_is_stored_without_gradients():
    with torch.no_grad():
        saved, (out, _) = stored(lambda: recomputed(function, *tensors()))
    assert not saved
    assert not out.requires_grad
