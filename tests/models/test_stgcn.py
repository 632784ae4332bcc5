"""ST-GCN, compared with MMAction2 and with its equations for all partitions."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from mmaction.models import STGCN, GCNHead

from msg3d.models import PartitionSTGCN, TwoStreamSTGCN
from msg3d.models.stgcn_two_stream import second_difference
from networks import assert_close
from weights import rebuild_weights


def with_weights(model):
    torch.manual_seed(0)
    rebuild_weights(model, torch.double)
    for key, value in model.state_dict().items():
        if key.endswith("PA"):
            value.add_(1)  # edge weights around one
    return model.eval()


def reference(state, x, A):
    """Compute the network in eval mode with the equations of the paper."""

    def norm(x, name):
        view = (1, -1) + (1,) * (x.dim() - 2)
        mean, var, weight, bias = (
            state[f"{name}.{part}"].view(view)
            for part in ("running_mean", "running_var", "weight", "bias")
        )
        return (x - mean) / (var + 1e-5).sqrt() * weight + bias

    def conv(x, name, **kwargs):
        return F.conv2d(x, state[f"{name}.weight"], state[f"{name}.bias"], **kwargs)

    clips, persons, frames, joints, channels = x.shape
    x = x.permute(0, 1, 3, 4, 2).reshape(clips * persons, joints * channels, frames)
    x = norm(x, "data_bn").view(-1, joints, channels, frames).permute(0, 2, 3, 1)
    for block in range(10):
        name, stride = f"gcn.{block}", 2 if block in (4, 7) else 1
        weights = conv(x, f"{name}.gcn.conv").chunk(len(A), dim=1)
        graphs = A * state.get(f"{name}.gcn.PA", 1)
        y = sum(w @ graph for w, graph in zip(weights, graphs, strict=True))
        y = F.relu(norm(y, f"{name}.gcn.bn"))
        y = conv(y, f"{name}.tcn.conv", stride=(stride, 1), padding=(4, 0))
        y = norm(y, f"{name}.tcn.bn")
        if block == 0:
            x = 0
        elif f"{name}.residual.conv.weight" in state:
            x = conv(x, f"{name}.residual.conv", stride=(stride, 1))
            x = norm(x, f"{name}.residual.bn")
        x = F.relu(y + x)
    return x.unflatten(0, (clips, persons))


@pytest.mark.parametrize("adaptive", ["importance", None])
@pytest.mark.parametrize(
    ("layout", "mode", "max_hop", "persons", "channels"),
    [
        ("coco", "uniform", 1, 1, 3),
        ("kinect20", "distance", 2, 3, 2),
        ("nturgb+d", "stgcn_spatial", 1, 2, 3),
        ("openpose", "stgcn_spatial_fixed", 1, 2, 3),
        ({"num_node": 3, "inward": [(0, 1), (2, 1)], "center": 1}, "spatial", 1, 2, 4),
    ],
    ids=str,
)
def test_network_matches_the_equations(
    layout, mode, max_hop, persons, channels, adaptive
):
    model = PartitionSTGCN(
        {"layout": layout, "mode": mode, "max_hop": max_hop},
        in_channels=channels,
        base_channels=8,
        gcn_adaptive=adaptive,
    )
    with_weights(model)
    importance = [key for key in model.state_dict() if key.endswith("PA")]
    assert len(importance) == (10 if adaptive else 0)
    x = torch.randn(2, persons, 9, model.graph.num_node, channels).double()
    A = torch.tensor(model.graph.A, dtype=torch.float32).double()
    assert_close(model(x), reference(model.state_dict(), x, A))


@pytest.mark.parametrize(
    "kwargs",
    [
        {},
        {"gcn_adaptive": None, "data_bn_type": "MVC"},
        # ST-GCN++
        {"gcn_adaptive": "init", "gcn_with_res": True, "tcn_type": "mstcn"},
        {"gcn_adaptive": "offset", "gcn_conv_pos": "post"},
    ],
    ids=str,
)
@pytest.mark.parametrize("mode", ["stgcn_spatial", "spatial"])
def test_identical_to_mmaction2(mode, kwargs):
    graph_cfg = {"layout": "coco", "mode": mode}
    ours = PartitionSTGCN(graph_cfg, base_channels=12, **kwargs).eval()
    upstream = STGCN(graph_cfg, base_channels=12, **kwargs).eval()
    ours.load_state_dict(upstream.state_dict(), strict=True)
    x = torch.rand(2, 2, 8, 17, 3)
    assert torch.equal(ours(x), upstream(x))


def test_number_of_parameters():
    model = PartitionSTGCN({"layout": "nturgb+d", "mode": "stgcn_spatial"})
    upstream = STGCN({"layout": "nturgb+d", "mode": "stgcn_spatial"})
    size = sum(p.numel() for p in model.parameters())
    assert size == sum(p.numel() for p in upstream.parameters())
    assert size == 3_083_412


def test_initialization_of_the_authors():
    model = PartitionSTGCN({"layout": "nturgb+d", "mode": "stgcn_spatial"})
    model.init_weights()
    for key, value in model.named_parameters():
        if key.endswith("PA"):
            assert (value == 1).all()
        elif key.endswith("bias"):
            assert (value == 0).all()
        else:
            mean = 1.0 if value.dim() == 1 else 0.0
            tolerance = 0.08 / value.numel() ** 0.5  # 4 standard errors
            assert abs(value.mean().item() - mean) < tolerance, key
            assert abs(value.std().item() - 0.02) < tolerance, key


def test_initialization_of_mmaction2():
    kwargs = {"graph_cfg": {"layout": "coco", "mode": "stgcn_spatial"}}
    torch.manual_seed(0)
    model = PartitionSTGCN(init_cfg=None, **kwargs)
    model.init_weights()
    weight = model.gcn[5].tcn.conv.weight  # Kaiming: 2 / (out_channels * 9)
    assert weight.std().item() == pytest.approx((2 / (128 * 9)) ** 0.5, rel=0.05)


def test_no_dropout_in_the_first_block():
    model = PartitionSTGCN(
        {"layout": "coco", "mode": "uniform"}, base_channels=8, tcn_dropout=0.5
    )
    assert [block.tcn.drop.p for block in model.gcn] == [0] + [0.5] * 9


def test_two_streams_add_their_scores():
    kwargs = {"graph_cfg": {"layout": "coco", "mode": "spatial"}, "base_channels": 8}
    model = with_weights(TwoStreamSTGCN(**kwargs))
    joint = GCNHead(num_classes=7, in_channels=64).double()
    heads = [GCNHead(num_classes=7, in_channels=32).double() for _ in range(2)]
    for head, weight in zip(heads, joint.fc.weight.split(32, dim=1), strict=True):
        head.fc.weight.data = weight.data
        head.fc.bias.data = joint.fc.bias.data / 2
    x = torch.randn(2, 2, 9, 17, 3).double()
    motion = x.numpy().copy()
    for frame in range(1, 8):
        motion[:, :, frame] = x[:, :, frame] - 0.5 * (
            x[:, :, frame - 1] + x[:, :, frame + 1]
        )
    motion[:, :, [0, 8]] = 0
    expected = heads[0](model.origin_stream(x))
    expected = expected + heads[1](model.motion_stream(torch.tensor(motion)))
    assert_close(joint(model(x)), expected)


@pytest.mark.parametrize("frames", [1, 2, 3])
def test_second_difference_of_few_frames(frames):
    x = torch.arange(frames).double().pow(2).view(1, 1, -1, 1, 1)
    expected = np.zeros(frames)
    if frames == 3:
        expected[1] = -1  # 1 - (0 + 4) / 2
    np.testing.assert_array_equal(second_difference(x).flatten(), expected)
