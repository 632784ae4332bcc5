"""Backbones on devices that autocast does not support: `meta`, and other backends."""

import copy

import pytest
import torch
from mmaction.registry import MODELS
from mmengine.registry import init_default_scope

from msg3d.models import by_sample
from networks import SMALL, assert_close, pair

NETWORKS = {
    "MSG3D": dict(SMALL, graph_cfg={"layout": "coco", "mode": "binary_adj"}),
    "AGCN": {"graph_cfg": {"layout": "coco", "mode": "spatial"}, "base_channels": 8},
    "PartitionSTGCN": {
        "graph_cfg": {"layout": "coco", "mode": "stgcn_spatial"},
        "base_channels": 8,
    },
}
# Long enough for the loop over samples on a CPU.
CLIPS = (2, 2, 100, 17, 3)


@pytest.mark.parametrize("gradients", [True, False])
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(
    ("name", "options"),
    [*((name, {}) for name in NETWORKS), ("MSG3D", {"with_cp": True})],
)
def test_meta_gives_the_shapes_of_the_cpu(name, options, training, gradients):
    init_default_scope("mmaction")
    model = MODELS.build(dict(NETWORKS[name], type=name, **options)).train(training)
    meta = copy.deepcopy(model).to("meta")
    x = torch.rand(CLIPS)
    x[1, 1] = 0  # an absent person
    with torch.set_grad_enabled(gradients):
        expected, out = model(x), meta(x.to("meta"))
    assert out.is_meta
    assert out.shape == expected.shape
    assert out.dtype == expected.dtype
    if gradients:
        out.sum().backward()
        for key, parameter in meta.named_parameters():
            assert parameter.grad.shape == parameter.shape, key


def test_operators_on_meta_multiply_in_their_own_type():
    x = torch.rand(2, 3, device="meta")
    assert by_sample.as_multiplied(x, None) == (x, None)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert by_sample.as_multiplied(x)[0].dtype == torch.float32
        assert by_sample.as_multiplied(torch.rand(2))[0].dtype == torch.bfloat16


@pytest.mark.parametrize("training", [True, False])
def test_a_backend_without_autocast_gives_the_same(training, monkeypatch):
    """A CPU that torch would not let use autocast: with values, unlike `meta`."""
    ours, plain = pair("coco", num_person=2)
    x = torch.rand(CLIPS).double()
    x[1, 1] = 0

    def unsupported(*args, **kwargs):
        raise RuntimeError("unknown device type for autocast")

    monkeypatch.setattr(torch.amp, "is_autocast_available", lambda device: False)
    for name in ("is_autocast_enabled", "get_autocast_dtype", "autocast"):
        monkeypatch.setattr(torch, name, unsupported)
    monkeypatch.setattr(by_sample, "MIN_ELEMENTS", 1 << 60)  # the whole batch
    with torch.no_grad():
        out, expected = ours.train(training)(x), plain.train(training)(x)
    assert_close(out, expected, 1e-10)
    assert training or ours._inference._folded
