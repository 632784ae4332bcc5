"""Graph convolution with joints before frames, compared with the other order."""

import pytest
import torch
from torch import nn

from msg3d.models import MSG3D, by_sample, graph_conv
from msg3d.models.collapse import collapse
from msg3d.models.joints_first import JointsFirst
from msg3d.models.ms_tcn import MSTCN
from msg3d.models.transform_then_gather import TransformThenGather

JOINTS, IN, OUT = 5, 6, 4
# (scales, window, stride, frames); with stride 3 and window 1, some frames are unused.
CASES = [(3, 1, 1, 13), (2, 3, 2, 14), (2, 5, 2, 13), (2, 5, 1, 9), (2, 7, 2, 2)]
CASES += [(2, 3, 3, 9), (2, 1, 2, 9), (2, 1, 3, 10)]
# Relative error of gradients in bfloat16
TOLERANCE = {"collapse": 0.01, "tcn 1": 0.15, "tcn 2": 0.15}


@pytest.mark.parametrize("group", [1, 2, 5])
@pytest.mark.parametrize(("scales", "window", "stride", "frames"), CASES)
def test_values_and_gradients(scales, window, stride, frames, group, monkeypatch):
    monkeypatch.setattr(by_sample, "MIN_ELEMENTS", 0)
    elements = group * frames * JOINTS * scales * OUT
    monkeypatch.setattr(by_sample, "GROUP_ELEMENTS", elements)
    shapes = [
        (5, frames, JOINTS, IN),
        (JOINTS * window, window, JOINTS * scales),
        (scales * OUT, IN),
        (OUT,),
    ]
    tensors = [torch.randn(shape).double().requires_grad_() for shape in shapes]
    results = []
    for function in (TransformThenGather, JointsFirst):
        out = function.apply(*tensors, scales, window, stride)
        grads = torch.autograd.grad((out * out.cos()).sum(), tensors)
        results.append((out, *grads))
    for expected, actual in zip(*results, strict=True):
        torch.testing.assert_close(actual, expected, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize(
    ("dtype", "channels", "window", "used"),
    [
        (torch.float32, 24, 3, True),
        (torch.float32, 24, 1, False),
        (torch.float32, 48, 3, False),
        (torch.bfloat16, 48, 1, True),
    ],
)
def test_choice(dtype, channels, window, used, monkeypatch):
    calls = []
    apply = JointsFirst.apply
    monkeypatch.setattr(
        graph_conv.JointsFirst, "apply", lambda *args: calls.append(1) or apply(*args)
    )
    shapes = ((1, 8, 5, channels), (1, window * 5, window * 5), (channels, channels))
    tensors = [torch.rand(shape, dtype=dtype) for shape in (*shapes, (channels,))]
    graph_conv.graph_conv(*tensors, window, 1)
    assert bool(calls) == used


def layer(kind):
    """Return a function of one tensor, its parameters, and an input."""
    torch.manual_seed(0)
    if kind == "collapse":
        norms = nn.BatchNorm2d(24), nn.BatchNorm2d(24)
        linear = nn.Linear(72, 24)
        parts = nn.ModuleList([*norms, linear])
        weights = linear.weight, linear.bias
        return parts, lambda z: collapse(z, norms[0], *weights, norms[1]), (5, 3, 24)
    stride = int(kind[-1])
    tcn = MSTCN(24, 24, stride)
    return tcn, tcn, (5, 24)


@pytest.mark.parametrize("kind", ["collapse", "tcn 1", "tcn 2"])
def test_gradients_in_bfloat16(kind, monkeypatch):
    """Autocast rounds to 8 bits. Near zero, a rounded value can switch a ReLU."""
    monkeypatch.setattr(by_sample, "MIN_ELEMENTS", 0)
    parts, function, shape = layer(kind)
    x = 3 + torch.randn(4, 40, *shape).bfloat16()  # a mean of three standard deviations
    weight = None
    results = []
    for dtype in (torch.float64, torch.float32):
        parts.to(dtype).zero_grad()
        values = x.clone() if dtype == torch.float32 else x.double()
        values.requires_grad_()
        with torch.autocast("cpu", torch.bfloat16, enabled=dtype == torch.float32):
            out = function(values)
        weight = torch.randn(out.shape).double() if weight is None else weight
        (out.double() * weight).sum().backward()
        grads = [p.grad for p in parts.parameters() if p.dim() > 1]
        results.append([t.double() for t in (out, values.grad, *grads)])
        if dtype == torch.float32:
            assert out.dtype == torch.bfloat16
    for exact, low in zip(*results, strict=True):
        assert (low - exact).norm() < TOLERANCE[kind] * exact.norm()


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_network_with_parameters_in_low_precision(dtype, monkeypatch):
    monkeypatch.setattr(by_sample, "MIN_ELEMENTS", 0)
    torch.manual_seed(0)
    sizes = {"base_channels": 12, "num_gcn_scales": 3, "num_g3d_scales": 2}
    model = MSG3D({"layout": "coco", "mode": "binary_adj"}, **sizes)
    x = torch.randn(2, 2, 16, 17, 3)
    expected = model(x)
    model.to(dtype)(x.to(dtype)).sum().backward()
    actual = model(x.to(dtype))
    assert (actual - expected).norm() < 0.1 * expected.norm()
    assert all(p.grad.isfinite().all() for p in model.parameters())


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_channel_sums(dtype):
    """The sums of single samples would overflow float16."""
    x = torch.full((2, 300, 17, 4), 20.0, dtype=dtype)
    x[1] *= -1
    assert by_sample.channel_sums(x).tolist() == [0, 0, 0, 0]
    x = torch.rand(4, 1000, 3).to(dtype)
    expected = x.double().sum((0, 1))
    torch.testing.assert_close(
        by_sample.channel_sums(x).double(), expected, rtol=0.005, atol=0
    )
