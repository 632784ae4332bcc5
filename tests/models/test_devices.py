"""Backbones on devices without autocast, such as `meta`."""

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
# Large enough for the loop over samples on CPU.
CLIPS = (2, 2, 100, 17, 3)


@pytest.mark.parametrize("gradients", [True, False])
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(
    ("name", "options"),
    [*((name, {}) for name in NETWORKS), ("MSG3D", {"with_cp": True})],
)
def test_meta_shapes_match_cpu(name, options, training, gradients):
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


def test_as_multiplied_without_autocast_support():
    x = torch.rand(2, 3, device="meta")
    assert by_sample.as_multiplied(x, None) == (x, None)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert by_sample.as_multiplied(x)[0].dtype == torch.float32
        assert by_sample.as_multiplied(torch.rand(2))[0].dtype == torch.bfloat16


@pytest.mark.parametrize("training", [True, False])
def test_same_outputs_without_autocast_support(training, monkeypatch):
    """Simulated on CPU, because `meta` has no values."""
    ours, plain = pair("coco", num_person=2)
    x = torch.rand(CLIPS).double()
    x[1, 1] = 0

    def unsupported(*args, **kwargs):
        raise RuntimeError("unknown device type for autocast")

    monkeypatch.setattr(torch.amp, "is_autocast_available", lambda device: False)
    for name in ("is_autocast_enabled", "get_autocast_dtype", "autocast"):
        monkeypatch.setattr(torch, name, unsupported)
    monkeypatch.setattr(by_sample, "MIN_ELEMENTS", 1 << 60)  # use the whole-batch form
    with torch.no_grad():
        out, expected = ours.train(training)(x), plain.train(training)(x)
    assert_close(out, expected, 1e-10)
    assert training or ours._inference._folded
