"""Check memory, files, threads, and processes of a long training for growth.

The training uses the data pipeline, loop, hooks, logger, and checkpoints of the recipe, and
a tiny ST-GCN as the network. `first` and `last` are medians over the first and last quarter
of the epochs after the warm-up. `growth` is the median slope per 100 epochs. Memory is flat
if it grows by at most 2 %, other quantities if they do not grow at all.
"""

import gc
import os
import tempfile
from pathlib import Path
from unittest.mock import patch

import numpy as np
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.runner import Runner

from . import processes
from .processes import memory
from .samples import ntu_config, write_samples
from .timing import progress

KINDS = {
    "pickle": ("SkeletonDataset", "tiny.pkl"),
    "store": ("PackedSkeletonDataset", "tiny.packed"),
}
READINGS = 100  # per training
WARM_UP = 0.1  # fraction of epochs, in which workers stop sharing memory pages
ALLOWED = 0.02  # growth of memory
NETWORK = {
    "type": "STGCN",
    "base_channels": 4,
    "num_stages": 2,
    "inflate_stages": [],
    "down_stages": [],
    "graph_cfg": {"layout": "nturgb+d", "mode": "spatial"},
}


def run(options, results) -> None:
    rows = []
    for form in options.forms:
        progress(f"load: {options.epochs} epochs, {form}")
        kind, file = KINDS[form]
        with tempfile.TemporaryDirectory() as folder:
            write_samples(Path(folder, file), options.samples)
            task = dict(vars(options), type=kind, ann_file=f"{folder}/{file}")
            (readings,) = processes.run(train, dict(task, work_dir=folder))
        results.data[f"{form} readings"] = readings
        rows += [dict(data=form, **row) for row in compare(readings)]
        results.table("load", rows)
    results.passed = all(row["flat"] for row in rows)


def compare(readings: list[dict]) -> list[dict]:
    """Return a row per quantity for ten or more readings of `Watch`.

    The growth is the Theil-Sen slope, which is robust to short peaks.
    """
    epochs = np.array([reading["epoch"] for reading in readings], float)
    after_warm_up = epochs > WARM_UP * epochs[-1]
    epochs = epochs[after_warm_up]
    quarter = max(len(epochs) // 4, 1)
    before, after = np.triu_indices(len(epochs), 1)
    rows = []
    for name in list(readings[0])[2:]:  # Epoch and checkpoint size may grow.
        values = np.array([reading[name] for reading in readings], float)
        values = values[after_warm_up]
        slopes = (values[after] - values[before]) / (epochs[after] - epochs[before])
        row = {"quantity": name, "first": float(np.median(values[:quarter]))}
        row["last"] = float(np.median(values[-quarter:]))
        row["growth"] = 100 * float(np.median(slopes))
        allowed = ALLOWED if name.endswith("_mib") else 0
        rows.append(dict(row, flat=row["last"] <= row["first"] * (1 + allowed)))
    return rows


class Watch(Hook):
    """Measure the resource usage every `every` epochs."""

    priority = "LOWEST"  # after the hooks for checkpoints and logs

    def __init__(self, every: int) -> None:
        self.every, self.readings = every, []

    def after_train_epoch(self, runner: Runner) -> None:
        if (runner.epoch + 1) % self.every:
            return
        if not self.readings:
            # The first full collection ends the sharing of memory pages with the
            # workers. Without this call, it could happen at any time.
            gc.collect()
        path = max(Path(runner.work_dir).glob("epoch_*.pth"), key=os.path.getmtime)
        size = path.stat().st_size  # grows with the log
        reading = dict(
            epoch=runner.epoch + 1, checkpoint_bytes=size, **resource_usage()
        )
        self.readings.append(reading)


def resource_usage() -> dict:
    """Return the resources that this process and its workers use.

    `anonymous_mib` is PSS without files, which does not depend on other programs.
    """
    main, *workers = pids = processes.processes()
    # The names of torch's shared files contain the process id.
    prefixes = tuple(f"torch_{pid}_" for pid in pids)

    def count(pid: int, folder: str) -> int:
        return len(list(Path("/proc", str(pid), folder).iterdir()))

    return {
        "main_rss_mib": memory(main, "Rss"),
        "anonymous_mib": sum(memory(pid, "Pss_Anon") for pid in pids),
        "main_files": count(main, "fd"),
        "workers_files": sum(count(pid, "fd") for pid in workers),
        "threads": sum(count(pid, "task") for pid in pids),
        "processes": len(pids),
        "shared_files": sum(
            path.name.startswith(prefixes) for path in Path("/dev/shm").iterdir()
        ),
    }


def config(task: dict) -> Config:
    """Return the 3D recipe with a tiny network and one pass per epoch."""
    cfg = Config.fromfile(ntu_config("3d"))
    cfg.model.backbone, cfg.model.cls_head.in_channels = NETWORK, 4
    cfg.train_dataloader.dataset.times = 1
    for loader in (cfg.train_dataloader, cfg.val_dataloader, cfg.test_dataloader):
        loader.update(batch_size=task["batch_size"], num_workers=task["num_workers"])
        data = loader.dataset.get("dataset", loader.dataset)
        data.update(type=task["type"], ann_file=task["ann_file"])
        for step in data.pipeline:
            step.update({"clip_len": 8} if "clip_len" in step else {})
    cfg.val_dataloader.dataset.indices = 2 * task["batch_size"]
    cfg.train_cfg.max_epochs = cfg.param_scheduler[0].T_max = task["epochs"]
    cfg.default_hooks.checkpoint.max_keep_ckpts = 2
    cfg.randomness, cfg.work_dir = {"seed": 0}, task["work_dir"]
    return cfg


def train(task: dict) -> list[dict]:
    """Train in this process and return the readings."""
    watch = Watch(max(task["epochs"] // READINGS, 1))
    # Formatting the config for each checkpoint takes longer than an epoch.
    with patch("mmengine.config.config.FormatCode", lambda text, **_: (text, True)):
        runner = Runner.from_cfg(config(task))
        runner.register_hook(watch)
        runner.train()
    return watch.readings
