"""MS-G3D, compared with a plain reference, and its properties."""

import pytest
import torch
from mmaction.registry import MODELS

from errors import raises
from msg3d.errors import ConfigError, DataError
from msg3d.models import MSG3D
from msg3d.skeletons import SKELETONS
from networks import SMALL, assert_close, pair

CHAIN = {"num_node": 5, "inward": [(0, 1), (2, 1), (3, 2), (4, 3)], "center": 1}


@pytest.mark.parametrize(
    ("layout", "persons", "channels", "frames"),
    [
        ("coco", 1, 3, 16),
        ("nturgb+d", 2, 3, 13),
        ("openpose", 5, 2, 9),
        ("kinect20", 3, 6, 7),
        (CHAIN, 4, 15, 1),
    ],
)
def test_matches_the_published_form(form, layout, persons, channels, frames):
    ours, plain = pair(layout, num_person=persons, in_channels=channels)
    joints = ours.graph.num_node
    x = torch.rand(2, persons, frames, joints, channels, dtype=torch.double)
    x[1, 1:] = 0  # absent persons
    for model in (ours, plain):
        model.eval()
    expected = plain(x)
    assert_close(ours(x), expected)
    with torch.no_grad():  # the folded form, computed and cached
        assert_close(ours(x), expected)
        assert_close(ours(x), expected)

    outs = [model.train()(x) for model in (ours, plain)]
    assert_close(*outs)
    weight = torch.rand_like(outs[0])
    for out in outs:
        (out * weight).sum().backward()
    expected = dict(plain.named_parameters())
    largest = max(p.grad.abs().max() for p in plain.parameters())
    for name, parameter in ours.named_parameters():
        difference = (parameter.grad - expected[name].grad).abs().max()
        # The gradient of a bias before BatchNorm is only rounding error.
        scale = max(expected[name].grad.abs().max(), 1e-3 * largest)
        assert difference / scale < 1e-10, name
    expected = dict(plain.named_buffers())
    for name, buffer in ours.named_buffers():
        assert_close(buffer.double(), expected[name].double())


def test_permuted_persons():
    """Swapping persons and their entries in data_bn swaps the outputs."""
    model, _ = pair("kinect20", num_person=2)
    x = torch.rand(3, 2, 8, 20, 3, dtype=torch.double)
    out = model.eval()(x)
    bn = model.data_bn
    for tensor in (bn.weight, bn.bias, bn.running_mean, bn.running_var):
        tensor.data = tensor.data.view(2, -1).flip(0).reshape(-1)
    assert_close(model(x.flip(1)), out.flip(1))


def test_relabeled_joints():
    order = torch.tensor([3, 0, 4, 1, 2])  # new joint i was joint order[i]
    new = {int(old): i for i, old in enumerate(order)}
    relabeled = {
        "num_node": 5,
        "inward": [(new[a], new[b]) for a, b in CHAIN["inward"]],
        "center": new[CHAIN["center"]],
    }
    torch.manual_seed(0)
    arguments = dict(SMALL, num_person=1)
    first = MSG3D({"layout": CHAIN, "mode": "binary_adj"}, **arguments).double()
    second = MSG3D({"layout": relabeled, "mode": "binary_adj"}, **arguments).double()
    # PA and data_bn depend on the joints: keep them neutral, copy the rest.
    state = first.state_dict()
    for key in state:
        if key.endswith("PA"):
            state[key].zero_()
        elif key.endswith(".A") or key == "A":
            state[key] = second.state_dict()[key]
    second.load_state_dict(state)
    x = torch.rand(2, 1, 8, 5, 3, dtype=torch.double)
    out = first.eval()(x)
    assert_close(second.eval()(x[:, :, :, order]), out[..., order])


@pytest.mark.parametrize("layout", sorted(SKELETONS))
def test_all_layouts_train(layout):
    model = MODELS.build(
        dict(
            type="MSG3D",
            graph_cfg={"layout": layout, "mode": "binary_adj"},
            num_person=1,
            **SMALL,
        )
    )
    model.init_weights()
    joints = len(SKELETONS[layout].joints)
    out = model(torch.rand(2, 1, 6, joints, 3))
    assert out.shape == (2, 1, 48, 2, joints)
    out.sum().backward()
    assert all(p.grad is not None for p in model.parameters())


@pytest.mark.parametrize(
    "shape", [(2, 1, 8, 17, 3), (2, 2, 8, 25, 3), (2, 2, 8, 17, 2), (2, 8, 17, 3)]
)
def test_invalid_input(shape):
    model, _ = pair("coco", num_person=2)
    with raises("shape", DataError, field="keypoint"):
        model(torch.rand(shape, dtype=torch.double))


@pytest.mark.parametrize(
    ("layout", "mode", "kind", "field"),
    [
        ("cocoo", "binary_adj", "layout", None),
        ({"num_node": 3}, "binary_adj", "layout", "center"),
        (
            {"num_node": 2, "inward": [(2, 0)], "center": 0},
            *("binary_adj", "layout", "inward"),
        ),
        ("coco", "spatial", "option", "graph_cfg.mode"),
    ],
)
def test_invalid_graph_cfg(layout, mode, kind, field):
    with raises(kind, ConfigError, field=field):
        MSG3D({"layout": layout, "mode": mode})


def test_unknown_norm():
    with raises("option", ConfigError, field="graph_norm"):
        MSG3D({"layout": "coco", "mode": "binary_adj"}, graph_norm="rows")
