"""Task in which a single joint determines the class, and a network trained on it."""

from functools import cache

import numpy as np
import torch
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.registry import DefaultScope

from msg3d.annotations.files import save_annotations

INFORMATIVE, JOINTS, CLASSES = 3, 5, 3
NAMES = ["still", "up", "down"]
INWARD = [(0, 1), (2, 1), (3, 2), (4, 2)]
CONFIG = """
default_scope = 'mmaction'
custom_imports = dict(imports=['msg3d'], allow_failed_imports=False)
layout = dict(num_node=5, inward=[(0, 1), (2, 1), (3, 2), (4, 2)], center=1)
model = dict(
    type='RecognizerGCN',
    backbone=dict(
        type='MSG3D', graph_cfg=dict(layout=layout, mode='binary_adj'),
        base_channels=12, num_gcn_scales=3, num_g3d_scales=2, num_person=1),
    cls_head=dict(type='GCNHead', num_classes=3, in_channels=48))
pipeline = [
    dict(type='UniformSampleFrames', clip_len=8, num_clips=2, test_mode=True),
    dict(type='PoseDecode'),
    dict(type='FormatGCNInput', num_person=1),
    dict(type='PackActionInputs', meta_keys=('frame_dir', ))]
test_dataloader = dict(dataset=dict(type='PoseDataset', pipeline=pipeline))
"""


def samples(count, seed=0):
    """Return random poses. Only the y of joint INFORMATIVE depends on the class."""
    rng = np.random.default_rng(seed)
    annotations = []
    for number in range(count):
        label, frames = number % CLASSES, int(rng.integers(9, 14))
        keypoint = rng.normal(scale=0.5, size=(1, frames, JOINTS, 3))
        keypoint[:, :, INFORMATIVE, 1] += (0, 2, -2)[label]
        annotations.append(
            {
                "frame_dir": f"s{number}",
                "label": label,
                "total_frames": frames,
                "keypoint": keypoint.astype(np.float32),
            }
        )
    return annotations


def write_trained(folder):
    """Write a config, a checkpoint, and an annotation file; return their paths."""
    config, checkpoint, data = (
        folder / f"tiny.{ending}" for ending in ("py", "pth", "pkl")
    )
    config.write_text(CONFIG, encoding="utf-8")
    annotations = samples(24, seed=1)
    names = [sample["frame_dir"] for sample in annotations]
    meta = {"classes": NAMES, "inward": INWARD, "center": 1}
    content = {"split": {"val": names[:12]}, "annotations": annotations, "meta": meta}
    save_annotations(content, data)
    meta = {"dataset_meta": {"classes": NAMES}}
    torch.save({"state_dict": _weights(), "meta": meta}, checkpoint)
    return str(config), str(checkpoint), str(data)


@cache
def _weights():
    """Train for a few seconds, once per process."""
    torch.manual_seed(0)
    with DefaultScope.overwrite_default_scope("mmaction"):
        model = MODELS.build(Config.fromstring(CONFIG, ".py").model)
    model.init_weights()
    optimizer = torch.optim.Adam(model.parameters(), 5e-3)
    for step in range(30):
        batch = samples(24, seed=100 + step)
        inputs = np.stack([sample["keypoint"][:, :8] for sample in batch])
        inputs = torch.from_numpy(inputs)[:, None]  # (B, clips, M, T, V, C)
        logits, _ = model.extract_feat(inputs, stage="head")
        labels = torch.tensor([sample["label"] for sample in batch])
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(logits, labels).backward()
        optimizer.step()
    return model.state_dict()
