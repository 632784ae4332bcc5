"""Compare fifty steps of training with the published form, and compile the network."""

from functools import partial

import pytest
import torch
from torch import nn

from networks import assert_close, pair

CHAIN = {"num_node": 5, "inward": [(0, 1), (2, 1), (3, 2), (4, 3)], "center": 1}


def losses(model, dtype, steps=50, autocast=None, accumulate=1):
    """Train a classifier of moving skeletons from a fixed seed; return its losses."""
    generator = torch.Generator().manual_seed(0)
    head = nn.Linear(48, 4).to(dtype)
    with torch.no_grad():
        head.weight.copy_(torch.randn(4, 48, generator=generator) / 7)
        head.bias.zero_()
    parameters = [*model.parameters(), *head.parameters()]
    optimizer = torch.optim.SGD(parameters, 0.02, momentum=0.9, nesterov=True)
    curve = []
    model.train()
    for step in range(steps):
        labels = torch.arange(8) % 4
        x = torch.randn(8, 2, 8, 5, 3, generator=generator).to(dtype)
        x[:, 0, :, :, 0] += labels[:, None, None]
        x[4:, 1] = 0
        with torch.autocast("cpu", dtype=autocast, enabled=autocast is not None):
            scores = head(model(x).mean((1, 3, 4)))
            loss = nn.functional.cross_entropy(scores.float().to(dtype), labels)
        (loss / accumulate).backward()
        if (step + 1) % accumulate == 0:
            optimizer.step()
            optimizer.zero_grad()
        curve.append(loss.item())
    return torch.tensor(curve, dtype=torch.float64)


@pytest.mark.parametrize("accumulate", [1, 3])  # batches per optimizer step
def test_loss_curves_are_equal(form, accumulate):
    ours, plain = pair(CHAIN, num_person=2)
    curves = [losses(m, torch.float64, accumulate=accumulate) for m in (ours, plain)]
    assert (curves[0] - curves[1]).abs().max() < 1e-8
    assert curves[0][-5:].mean() < 0.7 * curves[0][:5].mean()


def test_loss_curves_in_bfloat16():
    """The losses are as close to those in float32 as the published form's losses."""
    build = partial(pair, CHAIN, num_person=2, dtype=torch.float32)
    precise = losses(build()[0], torch.float32)
    ours, plain = (
        losses(model, torch.float32, autocast=torch.bfloat16) for model in build()
    )
    assert (ours - precise).abs().mean() < 2 * (plain - precise).abs().mean() + 0.02
    assert ours[-5:].mean() < 0.7 * ours[:5].mean()


def test_compiles_without_graph_breaks():
    """Forward and backward, in training and in eval mode, are one graph."""
    torch._dynamo.reset()
    ours, plain = pair(CHAIN, num_person=2)
    compiled = torch.compile(ours, backend="aot_eager", fullgraph=True)
    x = torch.rand(2, 2, 8, 5, 3).double()
    outs = [model.train()(x) for model in (compiled, plain)]
    assert_close(*outs)
    for out in outs:
        out.square().sum().backward()
    largest = max(p.grad.abs().max() for p in plain.parameters())
    for name, parameter in ours.named_parameters():
        difference = parameter.grad - plain.get_parameter(name).grad
        assert difference.abs().max() < 1e-10 * largest, name
    for name, buffer in ours.named_buffers():
        assert_close(buffer.double(), plain.get_buffer(name).double())
    with torch.no_grad():
        assert_close(compiled.eval()(x), plain.eval()(x))
