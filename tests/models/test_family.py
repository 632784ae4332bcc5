"""Common tests of all baseline backbones."""

from pathlib import Path

import pytest
import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from mmengine.config import Config
from mmengine.registry import init_default_scope

import msg3d
from errors import raises
from msg3d.errors import ConfigError, DataError

BASES = Path(msg3d.__file__).parent / "configs" / "_base_" / "models"
FAMILY = ["PartitionSTGCN", "TwoStreamSTGCN", "AGCN", "LayoutAAGCN", "ResTCN"]
INLINE = {"num_node": 4, "inward": [(0, 1), (2, 1), (3, 2)], "center": 1}


def build(name, layout="coco", persons=2, **kwargs):
    init_default_scope("mmaction")
    torch.manual_seed(0)
    if "STGCN" in name:
        kwargs["data_bn_type"] = "MVC"
    cfg = {
        "type": name,
        "graph_cfg": {"layout": layout, "mode": "spatial"},
        "num_person": persons,
        "base_channels": 8,
    }
    return MODELS.build(dict(cfg, **kwargs))


@pytest.mark.parametrize("name", FAMILY)
@pytest.mark.parametrize(
    ("layout", "persons", "channels"),
    [("coco", 1, 3), ("nturgb+d", 2, 3), ("kinect20", 3, 3), (INLINE, 2, 2)],
    ids=str,
)
def test_trains(name, layout, persons, channels):
    model = build(name, layout, persons, in_channels=channels)
    model.init_weights()
    joints = model.graph.num_node
    x = torch.rand(3, persons, 9, joints, channels)
    x[1, 1:] = 0  # absent persons
    out = model(x)
    width = 64 if name == "TwoStreamSTGCN" else 32
    shape = (1, width, 3, 1) if name == "ResTCN" else (persons, width, 3, joints)
    assert out.shape == (3, *shape)
    (out * torch.rand_like(out)).sum().backward()
    for key, parameter in model.named_parameters():
        assert parameter.grad is not None, key
        assert parameter.grad.isfinite().all(), key


@pytest.mark.parametrize("name", FAMILY)
@pytest.mark.parametrize(
    "shape", [(2, 1, 8, 17, 3), (2, 2, 8, 25, 3), (2, 2, 8, 17, 2), (2, 8, 17, 3)]
)
def test_invalid_input(name, shape):
    with raises("shape", DataError, field="keypoint"):
        build(name)(torch.rand(shape))


def test_shared_norm_supports_any_number_of_persons():
    model = build("LayoutAAGCN", data_bn_type="VC")
    assert model(torch.rand(2, 5, 4, 17, 3)).shape == (2, 5, 32, 1, 17)
    with raises("shape", DataError, field="keypoint"):
        model(torch.rand(2, 5, 4, 18, 3))


@pytest.mark.parametrize("name", FAMILY)
def test_unknown_layout(name):
    with raises("layout", ConfigError):
        build(name, "cocoo")


@pytest.mark.parametrize("name", FAMILY)
def test_compiles_without_graph_breaks(name):
    # Few blocks, but of all kinds, because tracing takes seconds.
    model = build(name, **{} if name == "ResTCN" else {"num_stages": 5}).eval()
    x = torch.rand(2, 2, 8, 17, 3)
    compiled = torch.compile(model, backend="eager", fullgraph=True)
    torch.testing.assert_close(compiled(x), model(x))


@pytest.mark.parametrize("name", FAMILY)
def test_mixed_precision(name):
    model = build(name)
    model.init_weights()
    model.eval()
    x = torch.rand(2, 2, 8, 17, 3)
    expected = model(x)
    with torch.autocast("cpu", torch.bfloat16):
        out = model(x)
        assert out.isfinite().all()
        out.float().sum().backward()
    error = (out.float() - expected).abs().max() / expected.abs().max()
    assert error < 0.1  # 20 layers with 8 bits of precision


@pytest.mark.parametrize("name", ["PartitionSTGCN", "AGCN", "LayoutAAGCN"])
def test_permuted_persons(name):
    """Swapping persons and their entries in data_bn swaps the outputs."""
    model = build(name).double().eval()
    x = torch.rand(3, 2, 8, 17, 3).double()
    bn = model.data_bn
    bn.running_mean.normal_()
    out = model(x)
    for tensor in (bn.weight, bn.bias, bn.running_mean, bn.running_var):
        tensor.data = tensor.data.view(2, -1).flip(0).reshape(-1)
    torch.testing.assert_close(model(x.flip(1)), out.flip(1))


@pytest.mark.parametrize(
    ("base", "size"),
    [
        ("stgcn", 3_098_832),
        ("agcn", 3_469_510),
        ("aagcn", 3_781_668),
        ("res_tcn", 2_101_864),
    ],
)
def test_base_config_takes_a_step(base, size):
    init_default_scope("mmaction")
    cfg = Config.fromfile(BASES / f"{base}.py")
    model = MODELS.build(cfg.model)
    model.init_weights()
    assert sum(p.numel() for p in model.parameters()) == size
    samples = [ActionDataSample().set_gt_label(label) for label in (3, 59)]
    losses = model(torch.rand(2, 1, 2, 8, 25, 3), samples, mode="loss")
    losses["loss_cls"].backward()
    assert all(p.grad is not None for p in model.parameters())
