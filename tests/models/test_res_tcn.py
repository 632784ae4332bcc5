"""Res-TCN, compared with the structure in ST-GCN's code."""

import itertools

import pytest
import torch
import torch.nn.functional as F
from mmaction.models import GCNHead

from msg3d.models import ResTCN
from networks import assert_close
from weights import rebuild_weights


def reference(model, x):
    """Compute the network in eval mode, module by module."""

    def norm(x, bn):
        mean, var, weight, bias = (
            t.view(1, -1, 1)
            for t in (bn.running_mean, bn.running_var, bn.weight, bn.bias)
        )
        return (x - mean) / (var + bn.eps).sqrt() * weight + bias

    def active(x, part, stride):
        bn, conv = part[0], part[3]
        return F.conv1d(
            norm(x, bn).clamp_min(0),
            conv.weight,
            conv.bias,
            stride,
            conv.weight.shape[2] // 2,
        )

    _clips, persons, _frames, joints, channels = x.shape
    columns = [
        x[:, m, :, v, c]
        for m in range(persons)
        for v in range(joints)
        for c in range(channels)
    ]
    x = norm(torch.stack(columns, 1), model.data_bn)
    x = F.conv1d(x, model.conv0.weight, model.conv0.bias, padding=4)
    for number, unit in enumerate(model.units, 1):
        stride = 2 if number in (4, 7) else 1
        shortcut = active(x, unit.shortcut, stride) if stride == 2 else x
        x = active(x, unit.main, stride) + shortcut
    return norm(x, model.bn).clamp_min(0)


@pytest.mark.parametrize(
    ("layout", "persons", "channels", "frames"),
    [("nturgb+d", 2, 3, 30), ("openpose", 2, 3, 7), ("kinect20", 1, 2, 1)],
)
def test_matches_the_structure(layout, persons, channels, frames):
    torch.manual_seed(0)
    model = ResTCN(
        {"layout": layout},
        in_channels=channels,
        base_channels=8,
        num_person=persons,
    )
    rebuild_weights(model, torch.double)
    x = torch.randn(2, persons, frames, model.graph.num_node, channels).double()
    out = model.eval()(x)
    assert out.shape == (2, 1, 32, -(-frames // 4), 1)
    assert_close(out[:, 0, :, :, 0], reference(model, x))


@pytest.mark.parametrize(
    ("layout", "features", "classes"), [("nturgb+d", 150, 60), ("openpose", 108, 400)]
)
def test_number_of_parameters(layout, features, classes):
    """The two networks of the authors, counted layer by layer."""

    def conv(in_channels, out_channels, kernel):
        return in_channels * out_channels * kernel + out_channels

    def active(in_channels, out_channels, kernel):
        return 2 * in_channels + conv(in_channels, out_channels, kernel)

    widths = [64] * 4 + [128] * 3 + [256] * 3
    expected = 2 * features + conv(features, 64, 9) + 2 * 256 + conv(256, classes, 1)
    for in_channels, out_channels in itertools.pairwise(widths):
        expected += active(in_channels, out_channels, 9)
        if in_channels != out_channels:
            expected += active(in_channels, out_channels, 1)
    model = ResTCN({"layout": layout})
    head = GCNHead(num_classes=classes, in_channels=256)
    parameters = [*model.parameters(), *head.parameters()]
    assert sum(p.numel() for p in parameters) == expected


def test_dropout_and_initialization():
    model = ResTCN({"layout": "nturgb+d"})
    model.init_weights()
    assert [unit.main[2].p for unit in model.units] == [0.5] * 9
    shortcuts = [model.units[unit].shortcut for unit in (3, 6)]
    assert [shortcut[2].p for shortcut in shortcuts] == [0, 0]
    convs = [model.conv0, *(unit.main[3] for unit in model.units)]
    for conv in convs:
        deviation = (2 / (conv.out_channels * 9)) ** 0.5  # He, fan out
        assert conv.weight.std().item() == pytest.approx(deviation, rel=0.05)
