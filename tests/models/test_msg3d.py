"""The backbone against the plain reference, and its properties."""

import copy
import itertools
import pickle

import pytest
import torch
from mmaction.registry import MODELS

from msg3d.models import MSG3D
from msg3d.models.graph_conv import GatherWindows, graph_conv
from msg3d.skeletons import SKELETONS
from reference import ReferenceMSG3D
from weights import rebuild_weights

SMALL = dict(base_channels=12, num_gcn_scales=4, num_g3d_scales=3)
CHAIN = dict(num_node=5, inward=[(0, 1), (2, 1), (3, 2), (4, 3)], center=1)


def pair(layout, **kwargs):
    """The same weights in our form and in the published one, float64."""
    torch.manual_seed(0)
    arguments = dict(SMALL, graph_cfg=dict(layout=layout, mode="binary_adj"), **kwargs)
    ours, plain = MSG3D(**arguments), ReferenceMSG3D(**arguments)
    for model in (ours, plain):
        rebuild_weights(model, torch.float64)
    return ours, plain


def assert_close(actual, expected, tolerance=1e-10):
    scale = expected.abs().max().clamp_min(1e-300)
    assert (actual - expected).abs().max() / scale < tolerance


@pytest.mark.parametrize(
    "layout, persons, channels, frames",
    [
        ("coco", 1, 3, 16),
        ("nturgb+d", 2, 3, 13),
        ("openpose", 5, 2, 9),
        ("kinect20", 3, 6, 7),
        (CHAIN, 4, 15, 1),
    ],
)
def test_equal_to_the_published_form(layout, persons, channels, frames):
    ours, plain = pair(layout, num_person=persons, in_channels=channels)
    joints = ours.graph.num_node
    x = torch.rand(2, persons, frames, joints, channels, dtype=torch.double)
    x[1, 1:] = 0  # absent persons
    for model in (ours, plain):
        model.eval()
    assert_close(ours(x), plain(x))

    outs = [model.train()(x) for model in (ours, plain)]
    assert_close(*outs)
    weight = torch.rand_like(outs[0])
    for out in outs:
        (out * weight).sum().backward()
    expected = dict(plain.named_parameters())
    largest = max(p.grad.abs().max() for p in plain.parameters())
    for name, parameter in ours.named_parameters():
        difference = (parameter.grad - expected[name].grad).abs().max()
        # A bias before a BatchNorm has no gradient but rounding.
        scale = max(expected[name].grad.abs().max(), 1e-3 * largest)
        assert difference / scale < 1e-10, name
    expected = dict(plain.named_buffers())
    for name, buffer in ours.named_buffers():
        assert_close(buffer.double(), expected[name].double())


@pytest.mark.parametrize(
    "window, stride, frames, channels",
    list(itertools.product((1, 3, 5), (1, 2), (1, 6, 7), (2, 9))),
)
def test_graph_conv_is_its_formula(window, stride, frames, channels):
    """Against the sum written out; 2 channels aggregate first, 9 transform first."""
    torch.manual_seed(0)
    scales, joints, out_channels = 2, 3, 4
    x = torch.rand(2, frames, joints, channels).double()
    adjacency = torch.rand(scales, window * joints, window * joints).double()
    weight = torch.rand(out_channels, scales * channels).double()
    bias = torch.rand(out_channels).double()

    actual = graph_conv(x, adjacency, weight, bias, window, stride)
    starts = range(0, frames, stride)
    assert actual.shape == (2, len(starts), joints, window, out_channels)
    for number, start in enumerate(starts):
        nodes = torch.zeros(2, window, joints, channels).double()
        for i in range(window):
            if 0 <= start + i - window // 2 < frames:
                nodes[:, i] = x[:, start + i - window // 2]
        gathered = torch.einsum("kpq,npc->nqkc", adjacency, nodes.flatten(1, 2))
        expected = gathered.flatten(2) @ weight.T + bias  # (N, wV, O)
        expected = expected.unflatten(1, (window, joints)).transpose(1, 2)
        assert_close(actual[:, number], expected, 1e-12)


@pytest.mark.parametrize("window, stride", [(1, 1), (3, 1), (3, 2), (5, 2)])
def test_gather_windows_gradient(window, stride):
    gather = torch.rand(4, window * 3, dtype=torch.double, requires_grad=True)
    y = torch.rand(2, 7, 3, 2, dtype=torch.double, requires_grad=True)
    assert torch.autograd.gradcheck(
        lambda gather, y: GatherWindows.apply(gather, y, window, stride), (gather, y)
    )


@pytest.mark.parametrize("window, channels", [(1, 9), (3, 9), (5, 2)])
def test_graph_conv_gradient_in_float32(window, channels):
    """No ReLU here, so rounding is all that float32 may change."""
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
    for a, b in zip(exact, rough):
        assert_close(b.grad.double(), a.grad, 1e-5)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_gather_windows_sums_low_precision_gradients_in_float32(dtype):
    """Over 2000 windows a running sum in bfloat16 would stop growing at 256."""
    gather = torch.ones(1, 1, dtype=dtype, requires_grad=True)
    y = torch.ones(1, 2000, 1, 1, dtype=dtype)
    GatherWindows.apply(gather, y, 1, 1).sum().backward()
    assert gather.grad.item() == 2000


def test_gather_windows_takes_any_memory_order():
    gather, y = torch.rand(4, 9).double(), torch.rand(2, 3, 7, 2).double()
    y = y.transpose(1, 2)
    expected = GatherWindows.apply(gather, y.contiguous(), 3, 1)
    assert torch.equal(GatherWindows.apply(gather, y, 3, 1), expected)


def test_even_window_is_named():
    with pytest.raises(ValueError, match="window of 2 frames"):
        graph_conv(*[torch.rand(1, 4, 3, 2)] * 4, 2, 1)


def test_persons_are_independent_of_their_order():
    """Swapping persons, with their entries of data_bn, swaps the outputs."""
    model, _ = pair("kinect20", num_person=2)
    x = torch.rand(3, 2, 8, 20, 3, dtype=torch.double)
    out = model.eval()(x)
    bn = model.data_bn
    for tensor in (bn.weight, bn.bias, bn.running_mean, bn.running_var):
        tensor.data = tensor.data.view(2, -1).flip(0).reshape(-1)
    assert_close(model(x.flip(1)), out.flip(1))


def test_joints_relabelled_with_their_graph_change_nothing():
    order = torch.tensor([3, 0, 4, 1, 2])  # new joint i was joint order[i]
    new = {int(old): i for i, old in enumerate(order)}
    relabelled = dict(
        num_node=5,
        inward=[(new[a], new[b]) for a, b in CHAIN["inward"]],
        center=new[CHAIN["center"]],
    )
    torch.manual_seed(0)
    arguments = dict(SMALL, num_person=1)
    first = MSG3D(dict(layout=CHAIN, mode="binary_adj"), **arguments).double()
    second = MSG3D(dict(layout=relabelled, mode="binary_adj"), **arguments).double()
    # PA and data_bn speak of joints: leave them neutral, copy the rest.
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
def test_every_named_layout_trains(layout):
    model = MODELS.build(
        dict(
            type="MSG3D",
            graph_cfg=dict(layout=layout, mode="binary_adj"),
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


def test_survives_copying_and_pickling():
    model, _ = pair("coco", num_person=1)
    x = torch.rand(1, 1, 4, 17, 3, dtype=torch.double)
    out = model.eval()(x)
    assert torch.equal(copy.deepcopy(model)(x), out)
    assert torch.equal(pickle.loads(pickle.dumps(model))(x), out)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_autocast_is_close(dtype):
    model, _ = pair("coco", num_person=1)
    model = model.float()
    x = torch.rand(2, 1, 8, 17, 3)
    out = model(x)
    for _ in range(3):
        with torch.autocast("cpu", dtype=dtype):
            low = model(x)
        low.float().sum().backward()
    assert all(p.grad.isfinite().all() for p in model.parameters())
    assert_close(low.float(), out, 0.1)


@pytest.mark.parametrize(
    "shape", [(2, 1, 8, 17, 3), (2, 2, 8, 25, 3), (2, 2, 8, 17, 2), (2, 8, 17, 3)]
)
def test_wrong_input_is_named(shape):
    model, _ = pair("coco", num_person=2)
    with pytest.raises(ValueError, match=r"expected \[N, M=2, T, V=17, C=3\]"):
        model(torch.rand(shape, dtype=torch.double))


@pytest.mark.parametrize(
    "graph_cfg, message",
    [
        (dict(layout="cocoo", mode="binary_adj"), "unknown skeleton layout 'cocoo'"),
        (dict(layout=dict(num_node=3), mode="binary_adj"), "lacks"),
        (
            dict(layout=dict(num_node=2, inward=[(2, 0)], center=0), mode="binary_adj"),
            "names joint 2, but num_node is 2",
        ),
        (dict(layout="coco", mode="spatial"), "use mode='binary_adj'"),
    ],
)
def test_wrong_graph_is_named(graph_cfg, message):
    with pytest.raises(ValueError, match=message):
        MSG3D(graph_cfg)
