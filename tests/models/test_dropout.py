"""Dropout as in the personality study, its positions, and its random numbers."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.torch_version import TorchVersion

from errors import raises
from msg3d.errors import ConfigError
from msg3d.models import MSG3D
from msg3d.models.dropout import SHARED_AXES, Dropout
from msg3d.models.ms_gcn import MSGCN, POSITIONS
from msg3d.models.ms_tcn import MSTCN
from networks import SMALL, assert_close
from weights import rebuild_weights

STUDY = {
    "gcn_dropout": 0.6,
    "g3d_dropout": 0.4,
    "tcn_dropout": 0.4,
    "tcn_inner_dropout": 0.4,
}
GRAPH = {"layout": "kinect20", "mode": "binary_adj"}


class FixedMask(nn.Dropout):
    """Dropout with the same mask in all calls."""

    def mask(self, shape):
        generator = torch.Generator().manual_seed(len(shape))
        kept = torch.rand(shape, generator=generator, dtype=torch.double) >= self.p
        return kept / (1 - self.p)

    def forward(self, x):
        return x * self.mask(x.shape) if self.training else x


def chain(joints):
    adjacency = torch.zeros(joints, joints)
    for joint in range(joints - 1):
        adjacency[joint, joint + 1] = adjacency[joint + 1, joint] = 1
    return adjacency


def models(**dropout):
    torch.manual_seed(0)
    plain = MSG3D(GRAPH, num_person=1, **SMALL)
    dropped = MSG3D(GRAPH, num_person=1, **SMALL, **dropout)
    dropped.load_state_dict(plain.state_dict())
    return plain, dropped


@pytest.mark.parametrize(("window", "stride"), [(1, 1), (3, 2), (5, 1)])
@pytest.mark.parametrize("channels", [(3, 8), (16, 4)])
def test_graph_convolution_matches_the_formula(form, window, stride, channels):
    joints, scales, (c_in, c_out) = 5, 3, channels
    torch.manual_seed(0)
    layer = MSGCN(c_in, c_out, chain(joints), scales, window, stride, dropout=0.6)
    rebuild_weights(layer, torch.double)
    layer.drop = drop = FixedMask(0.6)
    x = torch.rand(2, 7, joints, c_in, dtype=torch.double, requires_grad=True)
    actual = layer.train().convolve(x)  # (N, T', V, w, O)

    half = window // 2
    padded = F.pad(x, (0, 0, 0, 0, half, half))
    starts = range(0, 7, stride)
    nodes = torch.stack([padded[:, t : t + window].flatten(1, 2) for t in starts], 1)
    # nodes are (frame, joint): [N, T', wV, C]
    gathered = torch.einsum("kpq,ntpc->ntqkc", layer.A + layer.PA, nodes)
    mask = drop.mask((2, len(starts), joints * window, c_in * scales))
    mask = mask.unflatten(2, (joints, window)).unflatten(4, (c_in, scales))
    mask = mask.permute(0, 1, 3, 2, 5, 4).flatten(2, 3)  # (N, T', wV, K, C)
    conv = layer.mlp.layers[0]
    expected = (gathered * mask).flatten(3) @ conv.weight.flatten(1).T + conv.bias
    expected = expected.unflatten(2, (window, joints)).transpose(2, 3)
    assert_close(actual, expected)
    weight = torch.rand_like(actual)
    parameters = [x, conv.weight, layer.PA]
    grads = [
        torch.autograd.grad((out * weight).sum(), parameters)
        for out in (actual, expected)
    ]
    for actual_grad, expected_grad in zip(*grads, strict=True):
        assert_close(actual_grad, expected_grad)


@pytest.mark.parametrize(("stride", "activate"), [(1, True), (2, True), (1, False)])
def test_temporal_convolution_matches_single_branches(form, stride, activate):
    torch.manual_seed(0)
    layer = MSTCN(24, 24, stride, activate=activate, dropout=0.4, branch_dropout=0.3)
    rebuild_weights(layer, torch.double)
    layer.drop, layer.branch_drop = drop, inner = FixedMask(0.4), FixedMask(0.3)
    x = torch.rand(2, 9, 5, 24, dtype=torch.double)
    actual = layer.train()(x)

    image = x.permute(0, 3, 1, 2)
    branches = [branch(image) for branch in layer.branches[:-1]]
    branches.append(layer.branches[-1](image[:, :, ::stride]))
    frames = branches[0].shape[2]
    mask = inner.mask((2, frames, 5, 16)).permute(0, 3, 1, 2)
    masks = mask.split(4, 1)
    branches[:4] = [branch * m for branch, m in zip(branches[:4], masks, strict=True)]
    residual = layer.residual
    if not isinstance(residual, nn.Identity):
        residual = nn.Sequential(residual.conv, residual.bn)
    out = torch.cat(branches, 1) + residual(image[:, :, ::stride])
    # The study applies dropout before the ReLU, which is equivalent.
    out = out * drop.mask((2, frames, 5, 24)).permute(0, 3, 1, 2)
    out = F.relu(out) if activate else out
    assert_close(actual, out.permute(0, 2, 3, 1))


def test_zero_dropout_changes_nothing():
    zeros = dict.fromkeys(STUDY, 0.0)
    plain, dropped = models(**zeros)
    x = torch.rand(2, 1, 12, 20, 3)
    assert torch.equal(plain(x), dropped(x))


def test_dropout_changes_nothing_in_eval_mode():
    """With gradients and with the folded form."""
    plain, dropped = (model.eval() for model in models(**STUDY))
    x = torch.rand(2, 1, 12, 20, 3)
    assert torch.equal(plain(x), dropped(x))
    with torch.no_grad():
        assert torch.equal(plain(x), dropped(x))


@pytest.mark.parametrize("option", STUDY)
def test_each_option_applies_in_training(form, option):
    plain, dropped = models(**{option: STUDY[option]})
    x = torch.rand(2, 1, 12, 20, 3)
    first, second = dropped(x), dropped(x)
    assert not torch.equal(first, second)
    assert not torch.equal(first, plain(x))
    first.sum().backward()
    assert all(p.grad is not None for p in dropped.parameters())


@pytest.mark.parametrize("position", POSITIONS)
def test_checkpointing_uses_the_same_mask_in_both_passes(position):
    gradients = []
    for with_cp in (False, True):
        torch.manual_seed(0)
        options = dict(STUDY, with_cp=with_cp, dropout_position=position)
        model = MSG3D(GRAPH, num_person=1, **SMALL, **options)
        model(torch.rand(2, 1, 12, 20, 3)).square().sum().backward()
        gradients.append([p.grad for p in model.parameters()])
    for actual, expected in zip(*gradients, strict=True):
        torch.testing.assert_close(actual, expected)


@pytest.mark.skipif(
    TorchVersion(torch.__version__) < "2.7",
    reason="Dynamo of PyTorch 2.6 breaks graphs at copy.deepcopy and autocast queries",
)
@pytest.mark.parametrize("position", POSITIONS)
def test_compiles_without_graph_breaks(position):
    _, model = models(**STUDY, dropout_position=position)
    gcn, tcn, _ = model.sgcn1

    def forward(x):
        return tcn(gcn(x)) + model.gcn3d1.gcn3d[0](x)

    torch._dynamo.reset()
    explanation = torch._dynamo.explain(forward)(torch.rand(2, 8, 20, 3))
    assert explanation.graph_break_count == 0


def test_coordinates_and_features_are_normalized_separately():
    """The study has separate BatchNorms for coordinates and features.

    data_bn is equivalent, because it normalizes each (person, joint, channel)
    separately.
    """
    torch.manual_seed(0)
    model = MSG3D(GRAPH, in_channels=15, num_person=1, **SMALL).double()
    scale = torch.cat([torch.ones(3), torch.full((12,), 100.0)])
    x = torch.rand(4, 1, 10, 20, 15, dtype=torch.double) * scale
    rows = x.permute(0, 1, 3, 4, 2)[:, 0]  # (N, V, C, T)
    separate = [
        nn.BatchNorm1d(20 * part.shape[2]).double()(part.flatten(1, 2)).view_as(part)
        for part in (rows[:, :, :3], rows[:, :, 3:])
    ]
    ours = model.data_bn(rows.flatten(1, 2)).view_as(rows)
    assert_close(ours, torch.cat(separate, 2), 1e-14)


def test_probability_and_scale():
    torch.manual_seed(0)
    drop = Dropout(0.2)
    out = drop(torch.ones(1_000_000))
    assert out.unique().tolist() == [0, pytest.approx(1.25, rel=1e-4)]
    # Standard deviation of the mean: 0.0004
    assert (out == 0).double().mean().item() == pytest.approx(0.2, abs=0.002)
    assert out.mean().item() == pytest.approx(1, abs=0.002)
    pairs = out[::2] * out[1::2]  # neighbors are independent
    assert pairs.mean().item() == pytest.approx(1, abs=0.004)


@pytest.mark.parametrize("dtype", [torch.double, torch.float, torch.bfloat16])
@pytest.mark.parametrize("p", [0.2, 0.5, 1.0])
def test_the_gradient_has_the_same_mask(dtype, p):
    x = torch.ones(5, 7, 3, dtype=dtype, requires_grad=True)
    out = Dropout(p)(x.transpose(0, 1))
    out.sum().backward()
    assert out.dtype == dtype
    assert torch.equal(x.grad.transpose(0, 1), out)


def test_masks_are_reproducible_and_differ():
    drop, x = Dropout(0.5), torch.ones(1000)
    torch.manual_seed(0)
    first, second = drop(x), drop(x)
    torch.manual_seed(0)
    assert torch.equal(drop(x), first)
    assert not torch.equal(first, second)


def test_probability_near_one():
    out = Dropout(1 - 1e-9)(torch.ones(1000))
    assert torch.isfinite(out).all()
    assert out.count_nonzero() <= 2


def test_second_derivative():
    def squared(x):
        torch.manual_seed(0)
        return Dropout(0.5)(x * x)

    x = torch.rand(12, dtype=torch.double, requires_grad=True)
    assert torch.autograd.gradgradcheck(squared, x)


def test_nothing_is_stored():
    x = torch.ones(1000, requires_grad=True)
    stored = []
    with torch.autograd.graph.saved_tensors_hooks(stored.append, lambda x: x):
        Dropout(0.5)(x)
    assert not stored


@pytest.mark.parametrize(("axes", "kept"), [((1, 3), (4, 6)), ((1, 2), (4, 7))])
def test_shared_axes(axes, kept):
    torch.manual_seed(0)
    out = Dropout(0.5)(torch.ones(4, 5, 6, 7), axes)
    assert out.unique().tolist() == [0, 2]
    assert torch.equal(out, out.amax(axes, keepdim=True).expand(out.shape))
    assert out.amax(axes).shape == kept
    assert 0 < out.amax(axes).mean() < 2


@pytest.mark.parametrize("position", ["input", "joints", "channels", "output"])
def test_positions(form, position):
    """The layer equals one without dropout between dropped inputs and outputs."""
    torch.manual_seed(0)
    layers = [
        MSGCN(4, 4, chain(5), 3, dropout=p, dropout_position=position).double()
        for p in (0.6, 0)
    ]
    layers[1].load_state_dict(layers[0].state_dict())
    x = torch.rand(2, 7, 5, 4, dtype=torch.double)
    torch.manual_seed(1)
    actual = layers[0](x)
    torch.manual_seed(1)
    drop = Dropout(0.6)
    if position == "output":
        expected = drop(layers[1](x))
    else:
        expected = layers[1](drop(x, SHARED_AXES[position]))
    assert_close(actual, expected)


def test_unknown_position():
    with raises("option", ConfigError, field="dropout_position"):
        MSGCN(4, 4, chain(5), 3, dropout_position="middle")


@pytest.mark.parametrize("position", POSITIONS)
def test_network_with_each_position(form, position):
    plain, dropped = models(**STUDY, dropout_position=position)
    x = torch.rand(2, 1, 12, 20, 3)
    assert torch.equal(plain.eval()(x), dropped.eval()(x))
    first, second = dropped.train()(x), dropped(x)
    assert not torch.equal(first, second)
    first.sum().backward()
    assert all(p.grad is not None for p in dropped.parameters())
