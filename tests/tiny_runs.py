"""A tiny training run with random order, augmentation, dropout, and workers."""

from pathlib import Path

import torch
from mmengine.runner import Runner

import msg3d
from in_process import config, without_paperwork
from samples import write

RUNTIME = Path(msg3d.__file__).parent / "configs" / "_base_" / "default_runtime.py"

CONFIG = f"""
_base_ = {str(RUNTIME)!r}
layout = dict(num_node=5, center=1, inward=[(0, 1), (2, 1), (3, 2), (4, 2)])
model = dict(
    type='RecognizerGCN',
    backbone=dict(type='STGCN', base_channels=4, num_stages=2, inflate_stages=[],
                  down_stages=[], graph_cfg=dict(layout=layout, mode='spatial')),
    cls_head=dict(type='GCNHead', num_classes=4, in_channels=4, dropout=0.3))
packed = [
    dict(type='PoseDecode'), dict(type='FormatGCNInput', num_person=1),
    dict(type='PackActionInputs')]
pipeline = [dict(type='RandomRotate3D', degrees=15),
            dict(type='UniformSampleFrames', clip_len=4), *packed]
test_pipeline = [
    dict(type='UniformSampleFrames', clip_len=4, num_clips=2, test_mode=True), *packed]
train_dataloader = dict(
    batch_size=4, num_workers=0, sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(type='RepeatDataset', times=2, dataset=dict(
        type='SkeletonDataset', ann_file='data.pkl', split='train', pipeline=pipeline)))
val_dataloader = dict(
    batch_size=2, num_workers=0, sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(type='SkeletonDataset', ann_file='data.pkl', split='val',
                 pipeline=test_pipeline, test_mode=True))
test_dataloader = val_dataloader
val_evaluator = test_evaluator = [dict(type='AccMetric')]
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=4)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.1, momentum=0.9))
param_scheduler = [dict(type='CosineAnnealingLR', T_max=4, by_epoch=True,
                        convert_to_iter_based=True)]
default_hooks = dict(logger=dict(interval=1))
log_level = 'ERROR'
randomness = dict(seed=3)
"""
# `--cfg-options` that shorten the training with a new config.
SHORT_TRAINING = (
    "train_cfg.max_epochs=1",
    "train_dataloader.dataset.times=1",
    "model.backbone.base_channels=12",
    "model.cls_head.in_channels=48",
    *(
        f"{name}_dataloader.{key}"
        for name in ("train", "val", "test")
        for key in ("num_workers=0", "persistent_workers=False")
    ),
)
STEPS = 4  # per epoch: 8 samples, repeated twice, in batches of 4


def prepare(folder: Path) -> Path:
    """Write data and config to a folder, and return the path of the config."""
    write(folder / "data.pkl", joints=5)
    path = folder / "tiny.py"
    path.write_text(
        CONFIG.replace("data.pkl", str(folder / "data.pkl")), encoding="utf-8"
    )
    return path


def train(path: Path, work_dir: Path, hooks=(), **options) -> Runner:
    """Run a full training with additional hooks."""
    with without_paperwork():
        runner = Runner.from_cfg(config(path, work_dir, **options))
        for hook in hooks:
            runner.register_hook(hook)
        runner.train()
    return runner


def same(first, second):
    """Return whether the weights and momenta of two checkpoints are equal bit for bit."""
    first, second = torch.load(first), torch.load(second)
    momenta = [
        {k: v["momentum_buffer"] for k, v in checkpoint["optimizer"]["state"].items()}
        for checkpoint in (first, second)
    ]
    pairs = [(first["state_dict"], second["state_dict"]), momenta]
    return all(
        a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)
        for a, b in pairs
    )
