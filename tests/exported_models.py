"""Small networks with each backbone for the pipeline of NTU RGB+D, and sequences."""

from pathlib import Path

import numpy as np
import pytest
import torch
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.registry import DefaultScope
from torch.torch_version import TorchVersion

import msg3d
from weights import rebuild_weights

needs_onnx_export = pytest.mark.skipif(
    TorchVersion(torch.__version__) < "2.7",
    reason="PyTorch 2.6 cannot export BatchNorm to ONNX",
)
CONFIGS = Path(msg3d.__file__).parent / "configs"
LEAF = CONFIGS / "msg3d" / "msg3d_8xb16-joint-u100-80e_ntu60-xsub-keypoint-3d.py"

_FEW_BLOCKS = {
    "base_channels": 8,
    "num_stages": 2,
    "inflate_stages": [2],
    "down_stages": [2],
    "num_person": 2,
}


def _graph(mode):
    return {"layout": "nturgb+d", "mode": mode}


# Backbone -> (arguments, output channels).
BACKBONES = {
    "MSG3D": (
        {
            "graph_cfg": _graph("binary_adj"),
            "base_channels": 12,
            "num_gcn_scales": 3,
            "num_g3d_scales": 2,
        },
        48,
    ),
    "PartitionSTGCN": (dict(graph_cfg=_graph("stgcn_spatial"), **_FEW_BLOCKS), 16),
    "TwoStreamSTGCN": (dict(graph_cfg=_graph("stgcn_spatial"), **_FEW_BLOCKS), 32),
    "AGCN": (dict(graph_cfg=_graph("spatial"), **_FEW_BLOCKS), 16),
    "LayoutAAGCN": (dict(graph_cfg=_graph("spatial"), **_FEW_BLOCKS), 16),
    "ResTCN": ({"graph_cfg": _graph("spatial"), "base_channels": 8}, 32),
}


def tiny(folder, backbone, classes=None):
    """Create (config, checkpoint) with four classes and clips of 16 frames."""
    arguments, channels = BACKBONES[backbone]
    cfg = Config.fromfile(LEAF)
    for step in cfg.test_dataloader.dataset.pipeline:
        if "clip_len" in step:
            step.update(clip_len=16, num_clips=3)
    cfg.model.backbone = dict(type=backbone, **arguments)
    cfg.model.cls_head = {"type": "GCNHead", "num_classes": 4, "in_channels": channels}
    with DefaultScope.overwrite_default_scope("mmaction"):
        model = MODELS.build(cfg.model)
    rebuild_weights(model, torch.float32)
    model.cls_head.fc.weight.data /= 4  # otherwise, all scores are 0 or 1
    meta = {"dataset_meta": {"classes": classes}} if classes else {}
    torch.save({"state_dict": model.state_dict(), "meta": meta}, folder / "tiny.pth")
    cfg.dump(folder / "tiny.py")
    return str(folder / "tiny.py"), str(folder / "tiny.pth")


def walks():
    """Return sequences of one person, two persons (one appears later), and three."""
    rng = np.random.default_rng(0)
    sequences = []
    for persons, frames in ((1, 20), (2, 45), (3, 9)):
        steps = rng.normal(scale=0.05, size=(persons, frames, 25, 3)).cumsum(1)
        start = rng.normal(size=(persons, 1, 25, 3))
        sequences.append((start + steps).astype(np.float32))
    sequences[1][1, :30] = 0
    return sequences
