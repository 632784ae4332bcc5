"""MMAction2 commands on a tiny data set, run outside the repository."""

import json
import pickle
import re
import subprocess

import pytest
import torch
from mmengine.runner import Runner

import in_process
from conftest import user_env
from tiny_ntu import BASE, write_tiny


def run(folder, *command, fails=False):
    """Run a command without PYTHONPATH, as users do, and return its output."""
    result = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env=user_env(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
    )
    assert (result.returncode != 0) == fails, result.stdout[-4000:]
    return result.stdout


def logged(folder, key):
    """Return all values of `key` in the JSON logs of a training run, in order."""
    lines = []
    for file in sorted(folder.glob("*/vis_data/scalars.json")):
        lines += [
            json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()
        ]
    return [line[key] for line in lines if key in line]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """Folder with a config that inherits from an NTU config, trained for two epochs."""
    folder = tmp_path_factory.mktemp("tiny")
    write_tiny(folder)
    out = run(folder, "mim", "train", "mmaction", "tiny.py", "--work-dir", "work")
    assert (folder / "work" / "epoch_2.pth").is_file(), out
    return folder


def train(folder, work, *arguments, fails=False):
    command = ["mim", "train", "mmaction", "tiny.py", "--work-dir", work]
    return run(folder, *command, *arguments, fails=fails)


def train_here(tiny, work, config="tiny.py", **options):
    """Train in this process, with options like those of `--cfg-options`."""
    Runner.from_cfg(in_process.config(tiny / config, tiny / work, **options)).train()


def test_train_writes_checkpoints_and_logs(tiny):
    work = tiny / "work"
    names = {path.name for path in work.iterdir()}
    assert {"epoch_1.pth", "epoch_2.pth", "last_checkpoint", "tiny.py"} <= names
    assert any(name.startswith("best_acc_top1") for name in names)
    # 4 samples per step instead of 128: auto_scale_lr is enabled.
    assert logged(work, "lr")[0] == pytest.approx(0.1 * 4 / 128, rel=0.1)
    assert len(logged(work, "acc/top1")) == 2


def test_test_dump_and_report_accuracy(tiny):
    command = ["mim", "test", "mmaction", "tiny.py"]
    checkpoint = ["--checkpoint", "work/epoch_2.pth", "--work-dir", "work/test"]
    out = run(tiny, *command, *checkpoint, "--dump", "scores.pkl")
    top1 = float(re.search(r"acc/top1: ([\d.]+)", out)[1])
    with (tiny / "scores.pkl").open("rb") as file:
        scores = pickle.load(file)
    assert len(scores) == 4
    hits = [int(s["pred_score"].argmax()) == int(s["gt_label"]) for s in scores]
    assert sum(hits) / 4 == pytest.approx(top1, abs=1e-4)

    run(
        tiny,
        *["mim", "run", "msg3d", "confusion_matrix", "tiny.py", "scores.pkl"],
        *["--show-path", "matrix.png"],
    )
    assert (tiny / "matrix.png").read_bytes()[:4] == b"\x89PNG"

    (tiny / "labels.txt").write_text(
        "".join(f"s{i} {int(s['gt_label'])}\n" for i, s in enumerate(scores)),
        encoding="utf-8",
    )
    fuse = ["mim", "run", "mmaction", "report_accuracy", "--preds", "scores.pkl"]
    out = run(tiny, *fuse, "scores.pkl", "--coefficients", 1, 1)
    assert f"{top1:.4f}" in out


def test_confusion_matrix_from_a_checkpoint(tiny):
    tool = ["mim", "run", "msg3d", "confusion_matrix", "tiny.py"]
    run(tiny, *tool, "work/epoch_2.pth", "--show-path", "from_checkpoint.png")
    assert (tiny / "from_checkpoint.png").is_file()


def test_resume(tiny):
    options = ["--cfg-options", "train_cfg.max_epochs=1"]
    train(tiny, "resumed", *options)
    out = train(tiny, "resumed", "--resume")
    assert "resumed epoch: 1" in out
    assert (tiny / "resumed" / "epoch_2.pth").is_file()
    assert logged(tiny / "resumed", "epoch") == [1, 1, 1, 1, 2, 2, 2, 2]


def test_amp(tiny):
    out = train(tiny, "amp", "--amp")
    assert "AmpOptimWrapper" in out
    assert all(loss == loss for loss in logged(tiny / "amp", "loss"))
    assert len(logged(tiny / "amp", "acc/top1")) == 2


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_amp_by_config(tiny, dtype):
    train_here(tiny, dtype, optim_wrapper={"type": "AmpOptimWrapper", "dtype": dtype})
    assert all(loss == loss for loss in logged(tiny / dtype, "loss"))
    assert len(logged(tiny / dtype, "acc/top1")) == 2


def test_gradient_checkpointing(tiny):
    """Gradient checkpointing does not change the training."""
    for work, checkpointing in (("cp_off", False), ("cp_on", True)):
        options = {"randomness.seed": 0, "model.backbone.with_cp": checkpointing}
        train_here(tiny, work, **options)
    plain, checkpointed = (logged(tiny / work, "loss") for work in ("cp_off", "cp_on"))
    assert checkpointed == pytest.approx(plain, rel=1e-3)


def test_compile(tiny):
    """Compile with a backend that needs no C++ compiler."""
    # One step only, because each new kind of step is traced again.
    one_step = ("train_dataloader.batch_size=8", "train_dataloader.dataset.times=1")
    options = ("compile.backend=eager", "train_cfg.max_epochs=1", *one_step)
    out = train(tiny, "compiled", "--cfg-options", *options)
    assert len(logged(tiny / "compiled", "loss")) == 1
    assert 'Model has been "compiled"' in out
    assert all(loss == loss for loss in logged(tiny / "compiled", "loss"))


def test_gradient_accumulation(tiny):
    """Weights do not change until the gradients of four batches are accumulated."""
    losses = {}
    one_epoch = {"randomness.seed": 0, "train_cfg.max_epochs": 1}
    for name, option, value in (
        ("each_step", "accumulative_counts", 1),
        ("accumulated", "accumulative_counts", 4),
        ("frozen", "optimizer.lr", 0),
    ):
        work = f"accumulation_{name}"
        train_here(tiny, work, **one_epoch, **{f"optim_wrapper.{option}": value})
        losses[name] = logged(tiny / work, "loss")
    assert len(losses["accumulated"]) == 4
    assert losses["accumulated"] == losses["frozen"] != losses["each_step"]


def test_auto_scale_lr_flag(tiny):
    (tiny / "unscaled.py").write_text(
        """
_base_ = 'tiny.py'
auto_scale_lr = dict(enable=False)
train_cfg = dict(max_epochs=1)
""",
        encoding="utf-8",
    )
    train_here(tiny, "unscaled", config="unscaled.py")
    assert logged(tiny / "unscaled", "lr")[0] == pytest.approx(0.1, rel=0.1)
    command = ["mim", "train", "mmaction", "unscaled.py", "--work-dir", "scaled"]
    run(tiny, *command, "--auto-scale-lr")
    assert logged(tiny / "scaled", "lr")[0] == pytest.approx(0.1 / 32, rel=0.1)


def test_config_by_name(tiny):
    """As a mim plugin, msg3d needs no path to the config."""
    out = run(
        tiny,
        *["mim", "train", "msg3d", BASE.name, "--work-dir", "by_name"],
        *["--cfg-options", "train_dataloader.dataset.dataset.ann_file=missing.pkl"],
        fails=True,
    )
    assert "missing.pkl" in out
    assert "does not exist" in out


def test_print_config(tiny):
    assert "RecognizerGCN" in run(
        tiny, "mim", "run", "mmaction", "print_config", "tiny.py"
    )


def test_analyze_logs(tiny):
    log = next((tiny / "work").glob("*/vis_data/scalars.json"))
    tool = ["mim", "run", "msg3d", "analyze_logs"]
    run(tiny, *tool, "plot_curve", log, "--keys", "loss", "--out", "loss.png")
    assert (tiny / "loss.png").read_bytes()[:4] == b"\x89PNG"
    assert "s/iter" in run(tiny, *tool, "cal_train_time", log)


def test_publish_model(tiny):
    tool = ["mim", "run", "msg3d", "publish_model"]
    run(tiny, *tool, "work/epoch_2.pth", "published.pth")
    published = torch.load(next(tiny.glob("published*.pth")))
    assert "state_dict" in published
    assert "optimizer" not in published


def test_get_flops(tiny):
    out = run(tiny, "mim", "run", "msg3d", "get_flops", "tiny.py")
    assert float(re.search(r"FLOPs: ([\d.]+) G", out)[1]) > 0
