"""Compare training and testing in two CPU processes with a single process."""

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
from tiny_ntu import write_tiny

HERE = Path(__file__).parent
TEST = Path(mmaction.__file__).parent / ".mim" / "tools" / "test.py"

# Network, schedule, and loss of the recipe. 10 training samples, repeated four times, give
# two epochs of five steps with 2 x 4 samples. One process gets 3 of the 5 test samples.
CHANGES = """
custom_imports = dict(
    imports=['msg3d', 'two_processes'], allow_failed_imports=False)
pipeline = [dict(type='RandomRotate3D', degrees=30), *_base_.pipeline]
train_dataloader = dict(dataset=dict(times=4, dataset=dict(pipeline=pipeline)))
test_dataloader = dict(batch_size=2)
auto_scale_lr = dict(base_batch_size=800)
custom_hooks = [dict(type='CheckDataHook'), dict(type='FreezeNormsAndRecordLosses')]
randomness = dict(seed=0)
log_level = 'WARNING'
"""
TOLERANCE = {"rtol": 1e-4, "atol": 1e-4}


def run(folder, *command):
    path = [Path(msg3d.__file__).parent.parent, HERE, os.environ.get("PYTHONPATH", "")]
    env = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join(map(str, path)),
        "OMP_NUM_THREADS": "1",
    }
    result = subprocess.run(
        list(map(str, command)),
        cwd=folder,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=240,
    )
    assert result.returncode == 0, result.stdout[-4000:]
    return result.stdout


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Folder with work dirs of training in two processes, `two`, and in one, `one`."""
    if torch.cuda.is_available():
        pytest.skip("needs a machine without CUDA")
    folder = tmp_path_factory.mktemp("two")
    write_tiny(folder, CHANGES, samples=15)
    train = ["mim", "train", "mmaction", "tiny.py", "--work-dir", "two"]
    run(folder, *train, "--launcher", "pytorch", "--gpus", 2)
    run_here(folder, "one", train=True, **{"train_dataloader.batch_size": 8})
    return folder


def run_here(folder, work_dir, train=False, **options):
    """Train or test in this process with the same config."""
    with pytest.MonkeyPatch.context() as patch, without_paperwork():
        patch.chdir(folder)
        runner = Runner.from_cfg(config("tiny.py", work_dir, **options))
        (runner.train if train else runner.test)()


def test_losses_of_ten_steps(trained):
    first, second, joined = (
        json.loads((trained / name).read_text(encoding="utf-8"))
        for name in ("two/losses_0.json", "two/losses_1.json", "one/losses_0.json")
    )
    assert len(joined) == 10
    assert first != second
    np.testing.assert_allclose(np.add(first, second) / 2, joined, **TOLERANCE)


def test_weights_after_ten_steps(trained):
    """The learning rate is equal too, because auto_scale_lr counts the processes."""
    two, one = (torch.load(trained / n / "epoch_2.pth") for n in ("two", "one"))
    initial = torch.load(trained / "one" / "epoch_1.pth")["state_dict"]
    change = 0.0
    for name, weight in one["state_dict"].items():
        torch.testing.assert_close(two["state_dict"][name], weight, **TOLERANCE)
        change = max(change, float((weight - initial[name]).abs().max()))
    assert change > 100 * TOLERANCE["atol"]


def test_scores_of_five_samples(trained):
    """No sample is repeated, and order and accuracy are the same."""
    launch = ["torchrun", "--nproc_per_node=2", f"--master_port={free_port()}", TEST]
    checkpoint = "one/epoch_2.pth"
    arguments = ["tiny.py", checkpoint, "--work-dir", "tested", "--dump", "two.pkl"]
    run(trained, *launch, *arguments, "--launcher", "pytorch")
    dump = {"type": "DumpResults", "out_file_path": "one.pkl"}
    evaluator = [{"type": "AccMetric"}, dump]
    run_here(trained, "tested_here", load_from=checkpoint, test_evaluator=evaluator)

    two, one = load(trained / "two.pkl"), load(trained / "one.pkl")
    labels = [int(sample["gt_label"]) for sample in two]
    data = load(trained / "data.pkl")
    label_of = {sample["frame_dir"]: sample["label"] for sample in data["annotations"]}
    assert labels == [label_of[name] for name in data["split"]["val"]]
    assert len(labels) == 5
    for sample, expected in zip(two, one, strict=True):
        torch.testing.assert_close(sample["pred_score"], expected["pred_score"])
    logs = [
        next((trained / name).glob("*/*.json")).read_text(encoding="utf-8")
        for name in ("tested", "tested_here")
    ]
    assert len({json.loads(log)["acc/top1"] for log in logs}) == 1
