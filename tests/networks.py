"""Pairs of our network and the published network, with the same weights."""

import torch

from msg3d.models import MSG3D
from reference import ReferenceMSG3D
from weights import rebuild_weights

SMALL = {"base_channels": 12, "num_gcn_scales": 4, "num_g3d_scales": 3}


def pair(layout, dtype=torch.float64, **kwargs):
    """Build our network and the published network with the same weights."""
    torch.manual_seed(0)
    arguments = dict(SMALL, graph_cfg={"layout": layout, "mode": "binary_adj"})
    arguments.update(kwargs)
    ours, plain = MSG3D(**arguments), ReferenceMSG3D(**arguments)
    for model in (ours, plain):
        rebuild_weights(model, dtype)
    return ours, plain


def assert_close(actual, expected, tolerance=1e-10):
    scale = expected.abs().max().clamp_min(1e-300)
    assert (actual - expected).abs().max() / scale < tolerance
