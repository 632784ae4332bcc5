"""Two processes on the CPU do what one does on the joined batch, and test the same."""

import json
import os
import subprocess
import sys
from pathlib import Path

import mmaction
import numpy as np
import pytest
import torch
from mmengine.fileio import load
from mmengine.runner import Runner

import msg3d
from conftest import free_port
from in_process import config, without_paperwork
from samples import write

HERE = Path(__file__).parent
BASE = "msg3d/msg3d_8xb16-joint-u100-80e_ntu60-xsub-keypoint-3d.py"
TEST = Path(mmaction.__file__).parent / ".mim" / "tools" / "test.py"

# The recipe's own network, schedule and loss; two epochs of five steps of 2 x 4 of the
# 10 samples four times; 5 samples to test, of which one process gets three.
CONFIG = f"""
_base_ = {str(Path(msg3d.__file__).parent / "configs" / BASE)!r}
custom_imports = dict(
    imports=['msg3d', 'two_processes'], allow_failed_imports=False)
layout = dict(_delete_=True, num_node=5, center=1,
              inward=[(0, 1), (2, 1), (3, 2), (4, 2)])
model = dict(
    backbone=dict(graph_cfg=dict(layout=layout), base_channels=12,
                  num_gcn_scales=3, num_g3d_scales=2),
    cls_head=dict(num_classes=4, in_channels=48))
packed = [dict(type='PoseDecode'), dict(type='FormatGCNInput', num_person=2),
          dict(type='PackActionInputs')]
pipeline = [dict(type='RandomRotate3D', degrees=30),
            dict(type='UniformSampleFrames', clip_len=8), *packed]
test_pipeline = [dict(type='UniformSampleFrames', clip_len=8, num_clips=2,
                      test_mode=True), *packed]
train_dataloader = dict(
    batch_size=4, num_workers=0, persistent_workers=False,
    dataset=dict(times=4, dataset=dict(
        ann_file='data.pkl', split='train', pipeline=pipeline)))
val_dataloader = dict(
    num_workers=0, persistent_workers=False,
    dataset=dict(ann_file='data.pkl', split='val', pipeline=test_pipeline))
test_dataloader = dict(_delete_=True, **dict(
    num_workers=0, batch_size=2, sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(type='SkeletonDataset', test_mode=True, ann_file='data.pkl',
                 split='val', pipeline=test_pipeline)))
train_cfg = dict(max_epochs=2)
auto_scale_lr = dict(base_batch_size=800)
custom_hooks = [dict(type='CheckDataHook'), dict(type='FreezeNormsAndNoteLosses')]
randomness = dict(seed=0)
log_level = 'WARNING'
"""
TOLERANCE = dict(rtol=1e-4, atol=1e-4)


def run(folder, *command):
    path = [Path(msg3d.__file__).parent.parent, HERE, os.environ.get("PYTHONPATH", "")]
    env = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join(map(str, path)),
        "OMP_NUM_THREADS": "1",
    }
    done = subprocess.run(
        list(map(str, command)),
        cwd=folder,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=240,
    )
    assert done.returncode == 0, done.stdout[-4000:]
    return done.stdout


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder with the training of two processes, `two`, and of one, `one`."""
    if torch.cuda.is_available():
        pytest.skip("this is for machines without CUDA")
    folder = tmp_path_factory.mktemp("two")
    write(folder / "data.pkl", joints=5, persons=2, samples=15)
    (folder / "two.py").write_text(CONFIG)
    train = ["mim", "train", "mmaction", "two.py", "--work-dir", "two"]
    run(folder, *train, "--launcher", "pytorch", "--gpus", 2)
    alone(folder, "one", train=True, **{"train_dataloader.batch_size": 8})
    return folder


def alone(folder, work_dir, train=False, **options):
    """Trains or tests in one process, this one, by the same config."""
    with pytest.MonkeyPatch.context() as here, without_paperwork():
        here.chdir(folder)
        runner = Runner.from_cfg(config("two.py", work_dir, **options))
        (runner.train if train else runner.test)()


def test_losses_of_ten_steps(trained):
    first, second, joined = (
        json.loads((trained / name).read_text())
        for name in ("two/losses_0.json", "two/losses_1.json", "one/losses_0.json")
    )
    assert len(joined) == 10 and first != second
    np.testing.assert_allclose(np.add(first, second) / 2, joined, **TOLERANCE)


def test_weights_after_ten_steps(trained):
    """The learning rate is the joined batch's, too: auto_scale_lr counts processes."""
    two, one = (torch.load(trained / n / "epoch_2.pth") for n in ("two", "one"))
    begun = torch.load(trained / "one" / "epoch_1.pth")["state_dict"]
    moved = 0.0
    for name, weight in one["state_dict"].items():
        torch.testing.assert_close(two["state_dict"][name], weight, **TOLERANCE)
        moved = max(moved, float((weight - begun[name]).abs().max()))
    assert moved > 100 * TOLERANCE["atol"]


def test_scores_of_five_samples(trained):
    """No sample twice, in the order of the data set, and the same accuracy."""
    launch = ["torchrun", "--nproc_per_node=2", f"--master_port={free_port()}", TEST]
    checkpoint = "one/epoch_2.pth"
    arguments = ["two.py", checkpoint, "--work-dir", "tested", "--dump", "two.pkl"]
    run(trained, *launch, *arguments, "--launcher", "pytorch")
    dump = dict(type="DumpResults", out_file_path="one.pkl")
    evaluator = [dict(type="AccMetric"), dump]
    alone(trained, "alone", load_from=checkpoint, test_evaluator=evaluator)

    two, one = load(trained / "two.pkl"), load(trained / "one.pkl")
    labels = [int(sample["gt_label"]) for sample in two]
    data = load(trained / "data.pkl")
    known = {sample["frame_dir"]: sample["label"] for sample in data["annotations"]}
    assert labels == [known[name] for name in data["split"]["val"]] and len(labels) == 5
    for of_two, of_one in zip(two, one, strict=True):
        torch.testing.assert_close(of_two["pred_score"], of_one["pred_score"])
    accuracies = [
        json.loads(next((trained / name).glob("*/*.json")).read_text())["acc/top1"]
        for name in ("tested", "alone")
    ]
    assert accuracies[0] == accuracies[1]
