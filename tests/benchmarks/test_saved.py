"""Bytes that autograd keeps for the backward pass."""

import pytest
import torch
from torch import nn

from benchmarks import networks
from benchmarks.saved import saved_bytes, saved_per_clip
from msg3d.models import MSG3D
from msg3d.models.graph import build_graph

FLOAT = 4


class Attribute(torch.autograd.Function):
    """Identity that keeps a tensor of 10 floats as an attribute, in a list."""

    @staticmethod
    def forward(ctx, x):
        ctx.kept = [x.new_zeros(10)]
        return x.clone()

    @staticmethod
    def backward(ctx, grad):
        return grad


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_linear_and_relu(device):
    model = nn.Sequential(nn.Linear(6, 5), nn.ReLU()).to(device)
    clips = torch.ones(3, 7, 6, device=device)
    # The linear map stores its input, and ReLU its output.
    per_clip = 7 * (6 + 5) * FLOAT
    assert saved_per_clip(model, clips) == per_clip
    assert saved_bytes(lambda: model(clips)) == 3 * per_clip
    # The gradient of the input requires the weight.
    clips.requires_grad_()
    assert saved_bytes(lambda: model(clips)) == 3 * per_clip + 5 * 6 * FLOAT


def test_views_share_one_storage():
    x = torch.ones(100, requires_grad=True)
    kept = torch.ones(100)
    assert saved_bytes(lambda: x * kept) == 100 * FLOAT
    assert saved_bytes(lambda: x[:3] * kept[:3] + x[1:4] * kept[1:4]) == 100 * FLOAT
    with torch.no_grad():
        assert saved_bytes(lambda: x * kept) == 0


def test_attributes_of_functions_count():
    x = torch.ones(4, requires_grad=True)
    assert saved_bytes(lambda: Attribute.apply(x).sum()) == 10 * FLOAT


def test_compiled():
    model = nn.Sequential(nn.Linear(6, 5), nn.ReLU())
    clips = torch.ones(3, 7, 6)
    compiled = torch.compile(model, backend="aot_eager", dynamic=False)
    for count in (1, 3):
        compiled(clips[:count])
    # The partition may store the result of ReLU or a mask.
    linear = 7 * 6 * FLOAT
    assert linear < saved_per_clip(compiled, clips) <= linear + 7 * 5 * FLOAT


@pytest.mark.parametrize("layout", ["nturgb+d", "coco"])
def test_msg3d_stores_a_quarter_of_the_published_form(layout):
    """On `meta`, so in the code path for accelerators, with the published sizes."""
    cfg = {"layout": layout, "mode": "binary_adj"}
    sizes = []
    for cls in (networks.reference("reference").ReferenceMSG3D, MSG3D):
        model = cls(cfg).train().to("meta")
        clips = torch.empty(2, 2, 100, build_graph(layout).num_node, 3, device="meta")
        sizes.append(saved_per_clip(model, clips))
    assert 0.2 < sizes[1] / sizes[0] < 0.25
