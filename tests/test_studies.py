"""The studies, run on files as small as they can be."""

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.registry import init_default_scope
from mmengine.runner import Runner

import msg3d  # noqa: F401
from conftest import REPOSITORY
from marked_processes import ended, marked
from msg3d.annotations.files import load_annotations, save_annotations
from msg3d.evaluation import read_scores
from samples import annotations

sys.path.insert(0, str(REPOSITORY / "tools"))
from studies.network_budgets import BUDGETS  # noqa: E402

from studies import (  # noqa: E402
    network_configs,
    network_pictures,
    network_table,
    networks,
    train,
)

CONFIGS = REPOSITORY / "configs" / "msg3d"
STYLES = ["active", "elderly", "exhausted", "feminine", "masculine", "normal"]
STYLES += ["youthful"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    data = annotations(joints=21, classes=7, samples=21, frames=(20, 60))
    train, val = data["split"].values()
    data["split"] = dict(xcontent_train=train, xcontent_val=val)
    data["meta"] = dict(classes=STYLES)
    save_annotations(data, folder / "bandai_styles.pkl")
    data = annotations(classes=10, samples=30)
    train, val = data["split"].values()
    data["split"] = dict(xview_train=train, xview_val=val, xview_clean_val=val[:4])
    data["meta"] = dict(classes=[f"action {number}" for number in range(10)])
    save_annotations(data, folder / "nw_ucla.pkl")
    return folder


def study(folder, name, *args):
    command = (sys.executable, REPOSITORY / "tools" / "study.py", name)
    command += ("--data", folder, "--work-dir", folder / name, *args)
    return subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, timeout=300
    )


def test_styles_run_resume_and_report(folder):
    names = ("stgcn-xyz", "scores-laban")
    done = study(folder, "styles", "--seeds", 1, "--settings", *names)
    assert done.returncode == 0, done.stderr[-4000:]
    file = folder / "styles" / "results.json"
    results = json.loads(file.read_text())
    assert [(r["setting"], r["seed"], r["epochs"]) for r in results] == [
        (name, 0, 4) for name in names
    ]
    assert 0 <= results[0]["top1"] <= 1 and results[1]["mean"] > 0
    assert not list((folder / "styles").glob("*/*.pth"))

    # A seed that is there is not run again, the next one is.
    results[0]["top1"] = 0.25
    file.write_text(json.dumps(results))
    done = study(folder, "styles", "--seeds", 2, "--settings", "stgcn*xyz")
    after = json.loads(file.read_text())
    assert after[:2] == results and after[2]["seed"] == 1 and len(after) == 3
    top1 = [25, 100 * after[2]["top1"]]
    row = f"{np.mean(top1):.1f} ± {np.std(top1, ddof=1):.1f} | 2 "
    assert row in done.stdout, done.stdout[-3000:]


def test_scores_of_the_regression(folder):
    scored = load_annotations(folder / "styles" / "scored.pkl")
    targets = {STYLES[s["label"]]: s["targets"].tolist() for s in scored["annotations"]}
    assert targets["elderly"] == [-1, 1, 0] and targets["feminine"] == [0, 0, 1]
    assert targets["youthful"] == [1, -1, 0] and targets["normal"] == [0, 0, 0]


def test_networks_run_fuse_and_draw(folder):
    names = [f"nw-ucla-xview/res-tcn/{stream}" for stream in ("joint", "bone")]
    options = ("--jobs", 2, "--seeds", 1, "--pictures", folder / "pictures")
    done = study(folder, "networks", *options, "--settings", *names)
    assert done.returncode == 0, done.stderr[-4000:]
    results = json.loads((folder / "networks" / "results.json").read_text())
    found = {result["setting"]: result for result in results}
    assert set(found) == {*names, "nw-ucla-xview/res-tcn/joint+bone"}

    streams = [
        read_scores(networks.scores_file(folder / "networks", n, 0)) for n in names
    ]
    labels = streams[0].labels
    assert streams[0].ids == streams[1].ids and len(labels) == 10
    for name, values in (
        (names[0], streams[0].values),
        ("nw-ucla-xview/res-tcn/joint+bone", streams[0].values + streams[1].values),
    ):
        right = values.argmax(1) == labels
        assert found[name]["top1"] == pytest.approx(100 * right.mean(), abs=1e-3)
        # The first four test samples are the unseen ones.
        assert found[name]["unseen"] == pytest.approx(100 * right[:4].mean(), abs=1e-3)
    assert (folder / "pictures" / "nw-ucla-xview.png").stat().st_size > 5000


def test_what_cannot_be_run_is_said(folder):
    done = study(folder, "styles", "--settings", "nothing")
    assert done.returncode == 1 and "nothing" in done.stderr
    # The others are made, the failure is named, and the exit code tells of it.
    names = ("penn-action/res-tcn/joint", "nw-ucla-xview/res-tcn/joint")
    done = study(folder, "networks", "--seeds", 1, "--settings", *names)
    assert done.returncode == 1
    assert "penn-action/res-tcn/joint, seed 0" in done.stderr
    assert "nw-ucla-xview/res-tcn/joint" not in done.stderr
    with open(folder / "networks" / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = study(folder, "networks", "--settings", names[0])
    assert done.returncode == 1 and str(folder / "networks") in done.stderr


class LeaveAt(Hook):
    """Asks its own process to leave."""

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if runner.iter == 8:
            os.kill(os.getpid(), signal.SIGTERM)


def test_an_interrupted_run_goes_on_as_if_it_had_not_been(
    folder, tmp_path, monkeypatch
):
    name, build = "nw-ucla-xview/res-tcn/bone", Runner.from_cfg

    def leaving(cfg):
        runner = build(cfg)
        runner.register_hook(LeaveAt())
        return runner

    def run(part):
        (tmp_path / part).mkdir(exist_ok=True)
        result = networks.run(name, 0, folder, tmp_path / part)
        last = train.folder(tmp_path / part, name, 0) / "epoch_12.pth"
        weights = torch.load(last, weights_only=False)["state_dict"]
        return {k: v for k, v in result.items() if "seconds" not in k}, weights

    result, weights = run("whole")
    monkeypatch.setattr(Runner, "from_cfg", leaving)
    with pytest.raises(SystemExit) as stopped:
        run("halves")
    assert stopped.value.code == 143
    begun = train.folder(tmp_path / "halves", name, 0)
    assert (begun / "preempted.pth").exists()
    again, same = run("halves")  # from the ninth step: the eighth would leave
    assert again == result
    assert all(torch.equal(same[key], weights[key]) for key in weights)


def test_ctrl_c_is_a_line_and_leaves_a_checkpoint(folder, tmp_path):
    command = [sys.executable, REPOSITORY / "tools" / "study.py", "networks-half"]
    command += ["--settings", "*/joint", "--data", folder, "--work-dir", tmp_path]
    run = tmp_path / "nw-ucla-xview_msg3d_joint_0"

    def training(_):
        return (run / "last_checkpoint").exists()

    said = ended(command, REPOSITORY, tmp_path, signal.SIGINT, 130, training)
    line = "study.py: interrupted; the same command goes on from here"
    assert said.splitlines()[-1] == line, said
    assert (run / "last_checkpoint").read_text() == str(run / "preempted.pth")
    assert marked(tmp_path) == {}


@pytest.mark.parametrize("network", network_configs.NETWORKS)
@pytest.mark.parametrize("data_set", network_configs.DATA_SETS)
def test_settings_differ_in_the_network_only(data_set, network, tmp_path):
    init_default_scope("mmaction")
    cfg = network_configs.config(data_set, network, "bone", tmp_path)
    plain = network_configs.config(data_set, "msg3d", "bone", tmp_path)
    for key in ("train_dataloader", "test_dataloader", "train_cfg", "param_scheduler"):
        assert cfg[key] == plain[key]
    assert cfg.optim_wrapper == plain.optim_wrapper
    source = network_configs.DATA_SETS[data_set]
    assert cfg.train_dataloader.dataset.split == source.train
    assert cfg.test_dataloader.dataset.split == source.test
    assert cfg.test_dataloader.dataset.stream == "b"
    model = MODELS.build(cfg.model)
    assert 0.12e6 < sum(p.numel() for p in model.parameters()) < 0.31e6


@pytest.mark.parametrize("network", network_configs.NETWORKS)
def test_whole_budget_is_the_recipe(network, tmp_path):
    init_default_scope("mmaction")
    cfg = network_configs.config(
        "nw-ucla-xview", network, "joint", tmp_path, whole=True
    )
    assert cfg.train_cfg.max_epochs == cfg.param_scheduler[0].T_max == 60
    loaders = (cfg.train_dataloader, cfg.test_dataloader)
    steps = [step for loader in loaders for step in loader.dataset.pipeline]
    assert [step.clip_len for step in steps if "clip_len" in step] == [40, 40]
    recognizer = MODELS.build(cfg.model).eval()
    found = recognizer.backbone(torch.rand(1, 1, 40, 20, 3))
    assert found.shape[2] == (384 if network == "msg3d" else 256)
    assert recognizer.cls_head(found).shape == (1, 10)


def test_half_is_the_leaf_of_that_width(tmp_path):
    name = "msg3d-48c_1xb16-joint-r40-60e_nw-ucla-xview-keypoint-3d.py"
    leaf = Config.fromfile(CONFIGS / name)
    joint, *others = BUDGETS["networks-half"].settings()
    assert joint == "nw-ucla-xview/msg3d/joint" and len(others) == 3
    budget = BUDGETS["networks-half"].run.keywords
    cfg = network_configs.config(*joint.split("/"), tmp_path, **budget)
    assert cfg.model == leaf.model and cfg.optim_wrapper == leaf.optim_wrapper
    trained = leaf.train_dataloader.dataset
    assert cfg.train_cfg.max_epochs == trained.times * leaf.train_cfg.max_epochs
    assert cfg.train_dataloader.dataset.pipeline == trained.dataset.pipeline


def test_longer_changes_the_schedule_only(tmp_path):
    assert {s.split("/")[0] for s in BUDGETS["networks-longer"].settings()} == {
        *(f"sbu-fold{fold}" for fold in range(1, 6)),
        "penn-action",
    }
    setting = ("sbu-fold1", "msg3d", "joint", tmp_path)
    small, longer = (
        network_configs.config(*setting, **budget)
        for budget in ({}, BUDGETS["networks-longer"].run.keywords)
    )
    assert longer.train_cfg.max_epochs == longer.param_scheduler[0].T_max == 4 * 16
    longer.train_cfg, longer.param_scheduler = small.train_cfg, small.param_scheduler
    assert small.to_dict() == longer.to_dict()


def test_strong_changes_the_samples_only(tmp_path):
    leaf = Config.fromfile(
        CONFIGS / "msg3d_1xb16-joint-strong52-325e_nw-ucla-xview-keypoint-3d.py"
    )
    leaf.train_dataloader.dataset = leaf.train_dataloader.dataset.dataset
    setting = ("nw-ucla-xview", "msg3d", "joint", tmp_path)
    plain, strong = (
        network_configs.config(*setting, **{**BUDGETS[name].run.keywords, "frames": 52})
        for name in ("networks-plain", "networks-strong")
    )
    for name in ("train_dataloader", "val_dataloader", "test_dataloader"):
        steps = strong[name].dataset.pop("pipeline")
        assert steps == leaf[name].dataset.pipeline
        assert steps != plain[name].dataset.pop("pipeline")
    assert plain.to_dict() == strong.to_dict()


def test_channels_change_the_width_only(tmp_path):
    init_default_scope("mmaction")
    setting, _ = BUDGETS["networks-wider"].settings()
    small, wider = (
        network_configs.config(*setting.split("/"), tmp_path, **budget)
        for budget in ({}, BUDGETS["networks-wider"].run.keywords)
    )
    recognizer = MODELS.build(wider.model).eval()
    found = recognizer.backbone(torch.rand(1, 1, 8, 13, 3))
    assert found.shape[2] == 64 and recognizer.cls_head(found).shape == (1, 15)
    wider.model = small.model
    assert small.to_dict() == wider.to_dict()


def test_all_folds_are_in_one_picture(monkeypatch, tmp_path):
    counted = []

    def confusion(work_dir, setting, seed):
        counted.append((setting, seed))
        return np.eye(2)

    monkeypatch.setattr(network_pictures, "confusion", confusion)
    sample = dict(meta=dict(classes=["push", "hug"]))
    monkeypatch.setattr(network_pictures, "load_annotations", lambda path: sample)
    # The second is better in one fold, the first in the mean.
    results = [
        dict(setting=f"sbu-fold{fold}/{network}", seed=seed, top1=top1)
        for fold in range(1, 6)
        for seed in (0, 1)
        for network, top1 in (("stgcn/bone", 70), ("msg3d/joint", 90 * (fold == 3)))
    ]
    network_pictures.draw(results, tmp_path, tmp_path, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["sbu.png"]
    best = {(f"sbu-fold{fold}/stgcn/bone", s) for fold in range(1, 6) for s in (0, 1)}
    assert set(counted) == best and len(counted) == len(best)


def test_folds_are_averaged_seed_by_seed():
    def result(fold, seed, top1):
        setting = f"sbu-fold{fold}/msg3d/joint"
        return dict(setting=setting, seed=seed, top1=top1, train_seconds=10)

    whole = [result(fold, 0, 90 + fold) for fold in range(1, 6)]
    half = [result(fold, 1, 0) for fold in range(1, 5)]
    (mean,) = network_table.folds(whole + half)
    assert (mean["top1"], mean["seed"], mean["train_seconds"]) == (93, 0, 50)


def test_a_killed_command_takes_its_runs_with_it(folder):
    command = [sys.executable, str(REPOSITORY / "tools" / "study.py"), "networks"]
    command += ["--data", str(folder), "--work-dir", str(folder / "killed")]
    command += ["--settings", "nw-ucla-xview/aagcn/*"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    if not children.exists():
        process.kill()
        pytest.skip("this system does not list the children of a process")
    runs = folder / "killed"
    until(lambda: list(runs.glob("nw-ucla*_0")), process)
    workers = [int(pid) for pid in children.read_text().split()]
    process.kill()
    process.wait()
    assert len(workers) >= 1
    until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers))


def until(condition, process=None, seconds=60):
    """Waits; a process that ends before says why."""
    end = time.time() + seconds
    while not condition():
        assert process is None or process.poll() is None, process.stderr.read()
        assert time.time() < end, "waited in vain"
        time.sleep(0.1)
