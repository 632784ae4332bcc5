"""2s-AGCN, compared with its equations and the authors' parameters."""

import pytest
import torch
import torch.nn.functional as F
from mmaction.models import AAGCN, GCNHead
from mmengine.registry import init_default_scope

from msg3d.models import AGCN, LayoutAAGCN
from msg3d.models.agcn import AdaptiveGraphConv
from msg3d.models.partition import PartitionGraph
from networks import assert_close
from weights import rebuild_weights

GRAPH = {"layout": "nturgb+d", "mode": "spatial"}


def norm(x, bn):
    """Apply BatchNorm in training mode."""
    mean = x.mean((0, 2, 3), keepdim=True)
    var = ((x - mean) ** 2).mean((0, 2, 3), keepdim=True)
    weight, bias = (p.view(1, -1, 1, 1) for p in (bn.weight, bn.bias))
    return (x - mean) / (var + bn.eps).sqrt() * weight + bias


def reference_unit(unit, x):
    """Compute Y = sum_k W_k X (A_k + B_k + C_k) in training mode."""

    def pointwise(conv, x):
        weight = conv.weight[:, :, 0, 0]
        return torch.einsum("oc,nctv->notv", weight, x) + conv.bias.view(-1, 1, 1)

    y = 0
    for k in range(len(unit.A)):
        theta, phi = pointwise(unit.conv_a[k], x), pointwise(unit.conv_b[k], x)
        scores = torch.einsum("netv,netw->nvw", theta, phi)
        scores = scores / (theta.shape[1] * theta.shape[2])
        attention = scores.exp() / scores.exp().sum(1, keepdim=True)  # over v
        graph = unit.A[k] + unit.PA[k] + attention
        y = y + pointwise(unit.conv_d[k], torch.einsum("nctv,nvw->nctw", x, graph))
    same = unit.in_c == unit.out_c
    residual = x if same else norm(pointwise(unit.down[0], x), unit.down[1])
    return F.relu(norm(y, unit.bn) + residual)


@pytest.mark.parametrize(("in_channels", "out_channels"), [(3, 8), (8, 8), (8, 16)])
def test_unit_matches_the_equations(in_channels, out_channels):
    torch.manual_seed(0)
    A = torch.tensor(PartitionGraph("coco", "spatial").A, dtype=torch.float32)
    unit = AdaptiveGraphConv(in_channels, out_channels, A)
    rebuild_weights(unit, torch.double)
    for conv in (*unit.conv_a, *unit.conv_b):  # clearly different scores
        conv.weight.data.mul_(5)
    x = torch.randn(4, in_channels, 6, 17).double().requires_grad_()
    actual, expected = unit.train()(x), reference_unit(unit, x)
    assert_close(actual, expected)
    spread = unit.graphs(x) - unit.A - unit.PA
    assert_close(spread.sum(-2), torch.ones_like(spread.sum(-2)))
    assert spread.std(-2).mean() > 0.01  # otherwise the axis is not tested

    weight = torch.rand_like(actual)
    inputs = [x, *unit.parameters()]
    grads = [
        torch.autograd.grad((y * weight).sum(), inputs) for y in (actual, expected)
    ]
    largest = max(grad.abs().max() for grad in grads[1])
    for ours, theirs in zip(*grads, strict=True):
        # The gradient of a bias before BatchNorm is only rounding error.
        scale = max(theirs.abs().max(), 1e-3 * largest)
        assert (ours - theirs).abs().max() / scale < 1e-10


def test_network_matches_the_equations():
    model = AGCN(GRAPH, base_channels=8)
    rebuild_weights(model, torch.double)
    x = torch.randn(3, 2, 9, 25, 3).double()
    actual = model.train()(x)

    features = x.permute(0, 1, 3, 4, 2).reshape(3, 2 * 25 * 3, 9, 1)  # M, V, C
    y = norm(features, model.data_bn).view(3 * 2, 25, 3, 9).permute(0, 2, 3, 1)
    for number, block in enumerate(model.gcn, 1):
        stride = (2 if number in (5, 8) else 1, 1)
        conv = block.tcn.conv
        z = F.conv2d(
            reference_unit(block.gcn, y), conv.weight, conv.bias, stride, (4, 0)
        )
        z = norm(z, block.tcn.bn)
        if number in (5, 8):
            conv = block.residual.conv
            y = F.conv2d(y, conv.weight, conv.bias, stride)
            z = z + norm(y, block.residual.bn)
        elif number > 1:
            z = z + y
        y = F.relu(z)
    assert_close(actual, y.unflatten(0, (3, 2)))


def test_published_parameters():
    """The names are those of the authors, renamed."""
    model, head = AGCN(GRAPH), GCNHead(num_classes=60, in_channels=256)
    parameters = [*model.parameters(), *head.parameters()]
    assert sum(p.numel() for p in parameters) == 3_469_510

    names = {"data_bn.weight", "data_bn.bias"}
    for block in range(10):
        parts = ["gcn.bn", "tcn.conv", "tcn.bn"]
        parts += [f"gcn.conv_{kind}.{k}" for kind in "abd" for k in range(3)]
        if block in (0, 4, 7):
            parts += ["gcn.down.0", "gcn.down.1"]
        if block in (4, 7):
            parts += ["residual.conv", "residual.bn"]
        for part in parts:
            names |= {f"gcn.{block}.{part}.{kind}" for kind in ("weight", "bias")}
        names.add(f"gcn.{block}.gcn.PA")
    assert {name for name, _ in model.named_parameters()} == names
    buffers = {name for name, _ in model.named_buffers() if name.endswith("A")}
    assert buffers == {"A"} | {f"gcn.{block}.gcn.A" for block in range(10)}


def test_initialization():
    init_default_scope("mmaction")
    model = AGCN(GRAPH)
    model.init_weights()
    for block in model.gcn:
        unit = block.gcn
        assert (unit.PA == 1e-6).all()
        assert (unit.bn.weight == 1e-6).all()
        assert (block.tcn.bn.weight == 1).all()
        out_channels, in_channels = unit.out_c, unit.in_c
        for conv in unit.conv_d:
            assert (conv.bias == 0).all()
            deviation = (2 / (out_channels * in_channels * 3)) ** 0.5
            assert conv.weight.std().item() == pytest.approx(deviation, rel=0.25)
        deviation = (2 / (out_channels // 4)) ** 0.5
        assert unit.conv_a[0].weight.std().item() == pytest.approx(deviation, rel=0.35)
        if in_channels != out_channels:
            assert (unit.down[1].weight == 1).all()


def test_only_the_graph_differs_from_mmaction2():
    theirs = {
        key: value.shape
        for key, value in AAGCN(GRAPH, gcn_attention=False).state_dict().items()
        if not key.endswith("alpha")
    }
    ours = {key: value.shape for key, value in AGCN(GRAPH).state_dict().items()}
    assert set(ours.keys() - theirs.keys()) == {
        f"gcn.{block}.gcn.PA" for block in range(10)
    }
    assert all(ours[key] == shape for key, shape in theirs.items())


def test_layout_aagcn_is_identical_to_mmaction2():
    torch.manual_seed(0)
    graph_cfg = {"layout": "coco", "mode": "spatial"}
    ours = LayoutAAGCN(graph_cfg, base_channels=8).eval()
    upstream = AAGCN(graph_cfg, base_channels=8).eval()
    ours.load_state_dict(upstream.state_dict(), strict=True)
    x = torch.rand(2, 2, 8, 17, 3)
    assert torch.equal(ours(x), upstream(x))
    assert ours.graph.layout == "coco"


def test_scores_beyond_float16():
    """The product of the embeddings exceeds 65,504, but its mean does not."""
    A = torch.tensor(PartitionGraph("coco", "spatial").A, dtype=torch.float32)
    unit = AdaptiveGraphConv(4, 64, A)
    for conv in (*unit.conv_a, *unit.conv_b):
        torch.nn.init.constant_(conv.weight, 1.0)
    x = torch.full((1, 4, 300, 17), 1.0)  # embedded: 4; 16 * 300 * 16 = 76,800
    with torch.autocast("cpu", torch.float16):
        graphs = unit.graphs(x)
    assert_close(graphs.float(), unit.graphs(x), 1e-2)
