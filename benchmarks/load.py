"""Watch memory, files, threads, and processes of a long training for growth.

The recipe's own data pipeline, loop, hooks, logger, and checkpoints; two small blocks of
ST-GCN replace the network. `first` and `last` are medians of the first and last quarter of
the epochs after the warm-up, `growth` is the median slope per 100 epochs. Memory is flat if
it grows by less than 2 %, other quantities if they do not grow at all.
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
READINGS = 100  # in one training
WARM_UP = 0.1  # part of the epochs during which workers stop sharing pages
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
    """Return a row for each quantity in ten or more readings of `Watch`.

    The growth is the Theil-Sen slope, which a short peak does not change.
    """
    epochs = np.array([reading["epoch"] for reading in readings], float)
    kept = epochs > WARM_UP * epochs[-1]
    epochs, quarter = epochs[kept], max(int(kept.sum()) // 4, 1)
    before, after = np.triu_indices(len(epochs), 1)
    rows = []
    for name in list(readings[0])[2:]:  # epoch and checkpoint may grow
        values = np.array([reading[name] for reading in readings], float)[kept]
        slopes = (values[after] - values[before]) / (epochs[after] - epochs[before])
        row = {"quantity": name, "first": float(np.median(values[:quarter]))}
        row["last"] = float(np.median(values[-quarter:]))
        row["growth"] = 100 * float(np.median(slopes))
        allowed = ALLOWED if name.endswith("_mib") else 0
        rows.append(dict(row, flat=row["last"] <= row["first"] * (1 + allowed)))
    return rows


class Watch(Hook):
    """Read what the processes hold after every `every` epochs."""

    priority = "LOWEST"  # after checkpoint and log

    def __init__(self, every: int) -> None:
        self.every, self.readings = every, []

    def after_train_epoch(self, runner: Runner) -> None:
        if (runner.epoch + 1) % self.every:
            return
        if not self.readings:
            # The first full collection ends the sharing of pages with the workers.
            # Without this call it may come at any time.
            gc.collect()
        saved = max(Path(runner.work_dir).glob("epoch_*.pth"), key=os.path.getmtime)
        size = saved.stat().st_size  # grows with the log
        reading = dict(epoch=runner.epoch + 1, checkpoint_bytes=size, **held())
        self.readings.append(reading)


def held() -> dict:
    """Return what must not grow, of this process and its workers.

    `anonymous_mib` is the part of PSS without files, which other programs do not change.
    """
    main, *workers = pids = processes.processes()
    # torch puts the id of the process into the names of its files.
    ours = tuple(f"torch_{pid}_" for pid in pids)

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
            path.name.startswith(ours) for path in Path("/dev/shm").iterdir()
        ),
    }


def config(task: dict) -> Config:
    """Return the 3D recipe with a tiny network; an epoch is one pass over the samples."""
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
    # Formatting the config for every checkpoint takes longer than an epoch.
    with patch("mmengine.config.config.FormatCode", lambda text, **_: (text, True)):
        runner = Runner.from_cfg(config(task))
        runner.register_hook(watch)
        runner.train()
    return watch.readings
