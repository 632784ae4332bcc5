"""Training without CUDA, in several processes and in bfloat16."""

import os
import re
import subprocess
import sys
from pathlib import Path

import mmaction
import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner

import msg3d
from conftest import free_port
from samples import write

TRAIN = Path(mmaction.__file__).parent / ".mim" / "tools" / "train.py"

CONFIG = """
custom_imports = dict(imports=['msg3d'], allow_failed_imports=False)
default_scope = 'mmaction'
env_cfg = dict(dist_cfg=dict(backend='nccl'))
model = dict(
    type='RecognizerGCN',
    backbone=dict(type='STGCN', base_channels=4, num_stages=2, inflate_stages=[],
                  down_stages=[], graph_cfg=dict(layout='nturgb+d')),
    cls_head=dict(type='GCNHead', num_classes=4, in_channels=4))
pipeline = [
    dict(type='UniformSampleFrames', clip_len=4), dict(type='PoseDecode'),
    dict(type='FormatGCNInput', num_person=2), dict(type='PackActionInputs')]
data = dict(type='PoseDataset', ann_file='data.pkl', pipeline=pipeline)
train_dataloader = dict(batch_size=2, num_workers=0, dataset=dict(split='train', **data),
                        sampler=dict(type='DefaultSampler', shuffle=True))
val_dataloader = dict(batch_size=2, num_workers=0, dataset=dict(split='val', **data),
                      sampler=dict(type='DefaultSampler', shuffle=False))
test_dataloader = val_dataloader
val_evaluator = test_evaluator = dict(type='AccMetric')
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=1)
val_cfg = dict(type='ValLoop', fp16=True)
test_cfg = dict(type='TestLoop')
optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.1), clip_grad=dict(max_norm=1))
default_hooks = dict(logger=dict(type='LoggerHook', interval=1))
"""

without_cuda = pytest.mark.skipif(
    torch.cuda.is_available(), reason="needs a machine without CUDA"
)


@without_cuda
def test_two_processes_with_amp(tmp_path, monkeypatch):
    """Run what `mim train mmaction CONFIG --launcher pytorch --gpus 2 --amp` starts."""
    (tmp_path / "config.py").write_text(CONFIG, encoding="utf-8")
    write(tmp_path / "data.pkl", joints=25, persons=2)
    launch = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node=2"]
    train = [str(TRAIN), "config.py", "--work-dir", "work", "--amp"]
    source = [str(Path(msg3d.__file__).parent.parent), os.environ.get("PYTHONPATH", "")]
    result = subprocess.run(
        [*launch, f"--master_port={free_port()}", *train, "--launcher", "pytorch"],
        cwd=tmp_path,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(filter(None, source)),
            "OMP_NUM_THREADS": "1",
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=240,
    )
    assert result.returncode == 0, result.stdout[-4000:]
    assert re.search(
        r"Distributed launcher: pytorch\n.*\n.*GPU number: 2", result.stdout
    )
    # 8 samples, 2 processes, 2 samples each: 2 steps.
    assert "Epoch(train) [1][2/2]" in result.stdout
    assert "acc/top1" in result.stdout
    assert "type='AmpOptimWrapper'" in result.stdout

    # The checkpoint contains MMEngine's log buffers, which the runner can load again.
    monkeypatch.chdir(tmp_path)
    cfg = Config.fromfile("config.py")
    cfg.update(work_dir="test", load_from="work/epoch_1.pth")
    assert "acc/top1" in Runner.from_cfg(cfg).test()


@without_cuda
def test_process_group_is_destroyed_at_exit():
    """The program's exit function runs last, because it is registered first."""
    program = """
import atexit
from torch import distributed
atexit.register(lambda: print("at the end:", distributed.is_initialized()))
import msg3d
from mmengine.dist import init_dist
init_dist("pytorch")
print("before:", distributed.is_initialized())
"""
    rank = {"RANK": "0", "LOCAL_RANK": "0", "WORLD_SIZE": "1"}
    rank.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(free_port()))
    result = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        env={**os.environ, **rank},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines() == ["before: True", "at the end: False"]
