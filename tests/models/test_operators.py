"""Operators and their gradients in both forms, compared with their equations."""

import itertools

import pytest
import torch
from torch import nn

from errors import raises
from msg3d.errors import ConfigError
from msg3d.models import by_sample
from msg3d.models.collapse import collapse
from msg3d.models.graph_conv import aggregates_first, graph_conv
from msg3d.models.ms_tcn import MSTCN
from networks import assert_close
from reference import TemporalConv


def rand(*shape):
    return torch.rand(*shape, dtype=torch.double, requires_grad=True)


@pytest.mark.parametrize(
    ("window", "stride", "frames", "channels"),
    list(itertools.product((1, 3, 5), (1, 2, 3), (1, 6, 7), (2, 9))),
)
def test_graph_conv_matches_the_formula(form, window, stride, frames, channels):
    """2 channels aggregate first, 9 channels transform first."""
    torch.manual_seed(0)
    scales, joints, out_channels = 2, 3, 4
    x = rand(2, frames, joints, channels)
    adjacency = rand(scales, window * joints, window * joints)
    weight, bias = rand(out_channels, scales * channels), rand(out_channels)

    actual = graph_conv(x, adjacency, weight, bias, window, stride)
    starts = range(0, frames, stride)
    assert actual.shape == (2, len(starts), joints, window, out_channels)
    for number, start in enumerate(starts):
        nodes = torch.zeros(2, window, joints, channels).double()
        for i in range(window):
            if 0 <= start + i - window // 2 < frames:
                nodes[:, i] = x[:, start + i - window // 2].detach()
        gathered = torch.einsum("kpq,npc->nqkc", adjacency, nodes.flatten(1, 2))
        expected = gathered.flatten(2) @ weight.T + bias  # (N, wV, O)
        expected = expected.unflatten(1, (window, joints)).transpose(1, 2)
        assert_close(actual[:, number], expected, 1e-12)
    assert torch.autograd.gradcheck(
        lambda *tensors: graph_conv(*tensors, window, stride),
        (x, adjacency, weight, bias),
        fast_mode=True,  # along random directions
    )


@pytest.mark.parametrize(("window", "stride", "out_channels"), [(1, 1, 4), (3, 2, 4)])
def test_the_order_with_fewer_multiplications_is_used(window, stride, out_channels):
    """torch counts the multiplications of both orders."""
    from torch.utils.flop_counter import FlopCounterMode

    from msg3d.models import graph_conv as module

    def count(channels, order):
        joints, scales = 5, 3
        nodes = window * joints
        x = torch.rand(1, 96, joints, channels)
        adjacency, bias = torch.rand(scales, nodes, nodes), torch.rand(out_channels)
        weight = torch.rand(out_channels, scales * channels)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(module, "aggregates_first", lambda *sizes: order)
            with FlopCounterMode(display=False) as counter:
                graph_conv(x, adjacency, weight, bias, window, stride)
        return counter.get_total_flops()

    orders = set()
    for channels in (1, 2, 3, 6, 20):
        chosen = aggregates_first(5, window, stride, channels, out_channels)
        # The formula ignores padding: near a tie, either order is right.
        first, second = count(channels, chosen), count(channels, not chosen)
        assert first <= 1.2 * second, channels
        orders.add(chosen)
    assert orders == {True, False}


@pytest.mark.parametrize(("window", "channels"), [(1, 9), (3, 9), (5, 2)])
def test_graph_conv_gradient_in_float32(form, window, channels):
    """Without ReLU, float32 differs only by rounding."""
    torch.manual_seed(0)
    shapes = (
        (4, 20, 17, channels),
        (6, window * 17, window * 17),
        (8, 6 * channels),
        (8,),
    )
    exact = [torch.randn(shape).double().requires_grad_() for shape in shapes]
    rough = [value.detach().float().requires_grad_() for value in exact]
    for values in (exact, rough):
        graph_conv(*values, window, 1).square().sum().backward()
    for a, b in zip(exact, rough, strict=True):
        assert_close(b.grad.double(), a.grad, 1e-5)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_graph_conv_sums_low_precision_gradients_in_float32(form, dtype):
    """With 2000 windows, a running sum in bfloat16 would stop growing at 256."""
    adjacency = torch.ones(1, 1, 1, dtype=dtype, requires_grad=True)
    weight = torch.ones(1, 1, dtype=dtype, requires_grad=True)
    bias = torch.zeros(1, dtype=dtype, requires_grad=True)
    x = torch.ones(4, 500, 1, 1, dtype=dtype)
    graph_conv(x, adjacency, weight, bias, 1, 1).sum().backward()
    for tensor in (adjacency, weight, bias):
        assert tensor.grad.item() == pytest.approx(2000, rel=0.01)


def test_graph_conv_supports_any_memory_order(form):
    x = rand(2, 3, 7, 9).transpose(1, 2)
    others = rand(2, 9, 9), rand(4, 18), rand(4)
    expected = graph_conv(x.contiguous(), *others, 3, 1)
    assert_close(graph_conv(x, *others, 3, 1), expected, 1e-14)


def test_collapse_supports_any_memory_order(form):
    """The graph convolution of compiled networks returns a permuted view."""
    z, weight, bias = rand(2, 3, 2, 4, 3), rand(5, 6), rand(5)
    strided = z.transpose(2, 3)  # (N, T, V, w, C)
    norms = nn.BatchNorm2d(3).double(), nn.BatchNorm2d(5).double()
    outs = [
        collapse(z, *norms[:1], weight, bias, *norms[1:])
        for z in (strided, strided.contiguous())
    ]
    assert_close(*outs, 1e-14)
    out_weight = torch.rand_like(outs[0])
    grads = [torch.autograd.grad((out * out_weight).sum(), z) for out in outs]
    assert_close(grads[0][0], grads[1][0], 1e-14)


def test_even_window():
    with raises("option", ConfigError, field="window"):
        graph_conv(*[torch.rand(1, 4, 3, 2)] * 4, 2, 1)


def test_collapse_gradient(form):
    torch.manual_seed(0)

    def norm(weight, bias):
        norm = nn.BatchNorm2d(len(weight)).double()
        del norm.weight, norm.bias
        norm.weight, norm.bias = weight, bias
        return norm

    def run(z, weight, bias, *affine):
        return collapse(z, norm(*affine[:2]), weight, bias, norm(*affine[2:]))

    z, weight, bias = rand(2, 3, 4, 2, 3), rand(5, 6), rand(5)
    affine = rand(3), rand(3), rand(5), rand(5)
    assert torch.autograd.gradcheck(run, (z, weight, bias, *affine))
    norms = norm(*affine[:2]), norm(*affine[2:])
    out = collapse(z, norms[0], weight, bias, norms[1])
    plain = norm(*affine[:2]), norm(*affine[2:])
    active = plain[0](z.flatten(0, 3)[..., None, None]).relu().view(2, 3, 4, 6)
    expected = plain[1]((active @ weight.T + bias).flatten(0, 2)[..., None, None])
    assert_close(out, expected.view_as(out))
    for actual_norm, plain_norm in zip(norms, plain, strict=True):
        for name in ("running_mean", "running_var", "num_batches_tracked"):
            actual, expected = getattr(actual_norm, name), getattr(plain_norm, name)
            assert_close(actual.double(), expected.double())


@pytest.mark.parametrize("momentum", [0.1, None])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("frames", [1, 2, 7, 8])
def test_ms_tcn_matches_the_published_form(form, stride, frames, momentum):
    """Includes ties in max pooling, as with absent persons, and negative values."""
    torch.manual_seed(0)
    ours, plain = MSTCN(6, 13, stride), TemporalConv(6, 13, stride)
    plain.load_state_dict(ours.state_dict())
    for model in (ours, plain):
        model.double().train()
        for module in model.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.momentum = momentum
                with torch.no_grad():
                    module.weight.copy_(torch.linspace(-1, 1, len(module.weight)))
    x = torch.randn(3, frames, 4, 6).double()
    x[1] = x[1, :1]  # the same in all frames
    inputs = [x.clone().requires_grad_(), x.permute(0, 3, 1, 2).clone()]
    inputs[1].requires_grad_()
    for _ in range(2):  # momentum None weights the second batch differently
        outs = [ours(inputs[0]), plain(inputs[1]).permute(0, 2, 3, 1)]
    assert_close(*outs)
    weight = torch.randn_like(outs[0])
    for out in outs:
        (out * weight).sum().backward()
    assert_close(inputs[0].grad, inputs[1].grad.permute(0, 2, 3, 1))
    expected = dict(plain.named_parameters())
    largest = max(p.grad.abs().max() for p in plain.parameters())
    for name, parameter in ours.named_parameters():
        difference = (parameter.grad - expected[name].grad).abs().max()
        assert difference / largest < 1e-10, name
    expected = dict(plain.named_buffers())
    for name, buffer in ours.named_buffers():
        assert_close(buffer.double(), expected[name].double())


def test_frozen_batch_norms(form):
    """As with `norm_eval` of MMAction2: training with BatchNorms in eval mode."""
    model = MSTCN(6, 12).double().train()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eval()
    before = {name: buffer.clone() for name, buffer in model.named_buffers()}
    x = torch.randn(2, 5, 4, 6).double()
    out = model(x)
    assert_close(out, model.eval()(x))
    for name, buffer in model.named_buffers():
        assert torch.equal(buffer, before[name])


def test_groups_of_unequal_size(monkeypatch):
    """Five samples in groups of two: the last group is smaller."""
    torch.manual_seed(0)
    model = MSTCN(6, 12, stride=2).double().train()
    x = torch.randn(5, 7, 4, 6).double()
    results = []
    for threshold in (float("inf"), 0):
        monkeypatch.setattr(by_sample, "MIN_ELEMENTS", threshold)
        monkeypatch.setattr(by_sample, "GROUP_ELEMENTS", 2 * 7 * 4 * 12)
        inputs = x.clone().requires_grad_()
        out = model(inputs)
        (out * torch.arange(out.numel()).view_as(out)).sum().backward()
        results.append((out.detach(), inputs.grad))
    assert len(by_sample.groups(x[..., :1].expand(-1, -1, -1, 12))) == 3
    for first, second in zip(*results, strict=True):
        assert_close(first, second)


@pytest.mark.parametrize(("window", "stride"), [(1, 1), (1, 2), (3, 2), (5, 1), (3, 5)])
def test_graph_conv_in_groups_of_unequal_size(monkeypatch, window, stride):
    """Five samples in groups of two, one, and five."""
    torch.manual_seed(0)
    monkeypatch.setattr(by_sample, "MIN_ELEMENTS", 0)
    tensors = rand(5, 7, 3, 9), rand(2, 3 * window, 3 * window), rand(4, 18), rand(4)
    results = []
    for size in (2, 1, 5):
        monkeypatch.setattr(by_sample, "GROUP_ELEMENTS", size * 7 * 3 * 2 * 4)
        out = graph_conv(*tensors, window, stride)
        weight = torch.arange(out.numel()).view_as(out)
        results.append([out, *torch.autograd.grad((out * weight).sum(), tensors)])
    for other in results[1:]:
        for first, second in zip(results[0], other, strict=True):
            assert_close(first, second)


def test_uninitialized_memory_is_never_used(monkeypatch):
    """Buffers are initialized with NaN, which must not reach results or gradients."""
    new_empty = torch.Tensor.new_empty

    def nan_filled(self, *args, **kwargs):
        tensor = new_empty(self, *args, **kwargs)
        return tensor.fill_(float("nan")) if tensor.is_floating_point() else tensor

    monkeypatch.setattr(torch.Tensor, "new_empty", nan_filled)
    monkeypatch.setattr(by_sample, "MIN_ELEMENTS", 0)
    # h has more channels (12) than the branches read (10), so groups of 5 samples of h
    # would be groups of 6 samples of the branches.
    monkeypatch.setattr(by_sample, "GROUP_ELEMENTS", 5 * 7 * 4 * 12 + 1)
    for stride in (1, 2):
        model = MSTCN(6, 12, stride).double().train()
        x = torch.randn(12, 7, 4, 6, dtype=torch.double, requires_grad=True)
        model(x).square().sum().backward()
        assert x.grad.isfinite().all()
        assert all(p.grad.isfinite().all() for p in model.parameters())
        with torch.no_grad():
            assert model.eval().fold()(x).isfinite().all()
    for window, stride in ((1, 1), (3, 2), (5, 2), (3, 5)):
        x, weight, bias = rand(3, 7, 3, 9), rand(4, 18), rand(4)
        adjacency = rand(2, 3 * window, 3 * window)
        graph_conv(x, adjacency, weight, bias, window, stride).sum().backward()
        for tensor in (x, adjacency, weight, bias):
            assert tensor.grad.isfinite().all()


def test_one_value_per_channel(form):
    model = MSTCN(6, 12)
    with pytest.raises(ValueError) as error:  # noqa: PT011 (from torch or msg3d)
        model(torch.rand(1, 1, 1, 6))
    assert getattr(error.value, "kind", "shape") == "shape"


def test_graph_conv_of_an_empty_batch(form):
    x, weight, bias = rand(0, 7, 3, 9), rand(4, 18), rand(4)
    adjacency = rand(2, 9, 9)
    out = graph_conv(x, adjacency, weight, bias, 3, 2)
    assert out.shape == (0, 4, 3, 3, 4)
    out.sum().backward()
    assert not weight.grad.any()
    assert not adjacency.grad.any()
