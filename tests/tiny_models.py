"""Small networks for tests of prediction: a config and a checkpoint that contains it."""

from pathlib import Path

import torch
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.registry import DefaultScope

import msg3d
from in_process import without_paperwork
from weights import rebuild_weights

CONFIGS = Path(msg3d.__file__).parent / "configs" / "msg3d"
UDIVA = "msg3d-12c_1xb16-laban-u250-200e_udiva-keypoint-3d.py"
NTU_3D = "msg3d_8xb16-joint-u100-80e_ntu60-xsub-keypoint-3d"
NTU_2D = "msg3d_8xb16-joint-u100-80e_ntu60-xsub-keypoint-2d"
UCLA_BONE = "msg3d_1xb16-bone-r40-60e_nw-ucla-xview-keypoint-3d"
SMALL = """_base_ = {base!r}
model = dict(
    backbone=dict(base_channels=12, num_gcn_scales=3, num_g3d_scales=2),
    cls_head=dict(in_channels=48, num_classes=4))
"""


def trained(folder, name, classes=None, frames=16):
    """Create a small version of a shipped config, and a checkpoint for four classes.

    The weights give distinct scores. `frames` is the length of clips in the test.
    """
    folder.mkdir(exist_ok=True)
    config, checkpoint = folder / "tiny.py", folder / "tiny.pth"
    text = SMALL.format(base=str(CONFIGS / f"{name}.py"))
    config.write_text(text, encoding="utf-8")
    cfg = Config.fromfile(config)
    for step in cfg.test_dataloader.dataset.pipeline:
        if "clip_len" in step:
            step["clip_len"] = frames
    steps = [step.to_dict() for step in cfg.test_dataloader.dataset.pipeline]
    config.write_text(
        f"{text}test_dataloader = dict(dataset=dict(pipeline={steps}))\n",
        encoding="utf-8",
    )
    with DefaultScope.overwrite_default_scope("mmaction"):
        model = MODELS.build(cfg.model)
    rebuild_weights(model, torch.float32)
    model.cls_head.fc.weight.data /= 4  # otherwise, all scores are 0 or 1
    with without_paperwork():
        meta = {"cfg": Config.fromfile(config).pretty_text}
    if classes:
        meta["dataset_meta"] = {"classes": classes}
    torch.save({"state_dict": model.state_dict(), "meta": meta}, checkpoint)
    return config, checkpoint


def trained_on_targets(path, targets):
    """Write a checkpoint, with its config, of a regression network for 24 joints.

    The targets have means 5, 6, ... and standard deviation 2.
    """
    count = len(targets)
    cfg = Config.fromfile(CONFIGS.parent / "personality" / UDIVA)
    small = {"type": "ResTCN", "base_channels": 8, "in_channels": 15, "num_person": 1}
    cfg.model.backbone = dict(small, graph_cfg={"layout": "smpl24", "mode": "spatial"})
    scale = {
        "target_mean": [5.0 + n for n in range(count)],
        "target_std": [2.0] * count,
    }
    cfg.model.cls_head.update(num_targets=count, in_channels=32, **scale)
    for step in cfg.test_dataloader.dataset.pipeline:
        if "clip_len" in step:
            step.update(clip_len=16, num_clips=2)
    with DefaultScope.overwrite_default_scope("mmaction"):
        model = MODELS.build(cfg.model)
    rebuild_weights(model, torch.float32)
    for name, values in scale.items():
        setattr(model.cls_head, name, torch.tensor(values))
    with without_paperwork():
        meta = {"cfg": cfg.pretty_text, "dataset_meta": {"targets": targets}}
    torch.save({"state_dict": model.state_dict(), "meta": meta}, path)
    return path
