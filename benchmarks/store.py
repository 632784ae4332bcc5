"""Compare data loading from a packed store and from an annotation file.

Both contain the same samples, which are read with the training pipeline, sampler, and loader
of the NTU RGB+D 60 3D recipe. They are measured in turn, each in new processes. Results are
medians over rounds and ranks. Memory is measured halfway as PSS, which counts shared pages
once. `peak` is the peak resident memory of a rank's main process. Several ranks read a
complete epoch. `missed` counts samples that are not read, and `repeated` counts samples that
are read twice, except those that make the shares of the ranks equal.
"""

import os
import statistics
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from mmengine.config import Config
from mmengine.dist import barrier
from mmengine.logging import MMLogger
from mmengine.registry import init_default_scope
from mmengine.runner import Runner

from . import processes
from .samples import ntu_config, write_samples
from .timing import progress

BATCH = 16
WARM_UP = 50  # batches before all workers run at full speed
FEW = 100
# name -> type of the data set, its file
KINDS = {
    "annotation file": ("PoseDataset", "ntu.pkl"),
    "packed store": ("PackedSkeletonDataset", "ntu.packed"),
    f"{FEW} samples": ("PoseDataset", "few.pkl"),
}


def run(options, results) -> None:
    readings = {name: [] for name in KINDS}
    with tempfile.TemporaryDirectory() as folder:
        sizes = dict.fromkeys(KINDS, options.samples)
        sizes[f"{FEW} samples"] = min(FEW, options.samples)
        progress(f"writing {options.samples} samples to {folder}")
        for name, (_, file) in KINDS.items():
            # A separate process returns its memory to the system.
            with ProcessPoolExecutor(1) as pool:
                pool.submit(write_samples, Path(folder, file), sizes[name]).result()
        for number in range(1, options.rounds + 1):
            for name, (kind, file) in KINDS.items():
                progress(f"store: round {number} of {options.rounds}: {name}")
                path = Path(folder, file)
                task = dict(vars(options), type=kind, ann_file=str(path))
                ranks = processes.run(read, task, options.ranks)
                seen = [rank.pop("seen") for rank in ranks]
                for rank in ranks:
                    rank["gib"] = size_of(path) / 2**30
                    if options.ranks > 1:
                        rank.update(coverage(seen, sizes[name]))
                        results.passed &= rank["missed"] == rank["repeated"] == 0
                readings[name] += ranks
                rows = [
                    dict(data=name, **medians(ranks))
                    for name, ranks in readings.items()
                    if ranks
                ]
                results.table("store", rows)


def size_of(path: Path) -> int:
    return sum(file.stat().st_size for file in [path, *path.rglob("*")])


def medians(ranks: list[dict]) -> dict:
    return {key: statistics.median(rank[key] for rank in ranks) for key in ranks[0]}


def coverage(seen: list[list[int]], samples: int) -> dict:
    """Count `missed` samples and unnecessarily `repeated` samples.

    Args:
        seen: indices of the samples that each rank read.
        samples: number of samples.
    """
    counts = np.bincount(np.concatenate(seen).astype(int), minlength=samples)
    # The sampler repeats some samples to give all ranks the same number.
    repeated = int((counts - 1).clip(0).sum()) - -samples % len(seen)
    return {"missed": int((counts == 0).sum()), "repeated": repeated}


def read(task: dict) -> dict:
    """Read batches in this process (a rank) and its workers."""
    init_default_scope("mmaction")
    MMLogger.get_current_instance().setLevel("WARNING")
    start, seen = time.perf_counter(), []
    loader = build_loader(task)
    total = len(loader) if task["ranks"] > 1 else 1 + WARM_UP + task["batches"]
    warm_up = min(WARM_UP, total // 4)
    for number, batch in enumerate(loader):
        seen += [int(sample.frame_dir[-6:]) for sample in batch["data_samples"]]
        if number == 0:
            first = time.perf_counter() - start
        if number == warm_up:
            begin, worked = time.perf_counter(), processor_seconds()
        if number == total // 2:
            barrier()  # All ranks are loading while the memory is measured.
            pids = processes.processes()
            main, *workers = (processes.memory(pid, "Pss") for pid in pids)
            barrier()
        if number == total - 1:
            break
    samples = BATCH * max(total - 1 - warm_up, 1)
    speed = samples / (time.perf_counter() - begin)
    result = {
        "first_batch_s": first,
        "samples_per_s": speed,
        "processor_ms_per_sample": 1e3 * (processor_seconds() - worked) / samples,
        "rank_mib": main + sum(workers),
        "main_mib": main,
        "worker_mib": statistics.mean(workers),
        "peak_mib": processes.status("VmHWM"),
    }
    return dict(result, seen=seen)


def build_loader(task: dict):
    """Return a loader of one epoch; with one rank, of the required number of batches."""
    cfg = Config.fromfile(ntu_config("3d"))
    data = {"type": task["type"], "ann_file": task["ann_file"], "split": "xsub_train"}
    data.update(pipeline=cfg.train_pipeline)
    times = 1 if task["ranks"] > 1 else BATCH * (1 + WARM_UP + task["batches"])
    cfg = {
        "batch_size": BATCH,
        "num_workers": task["num_workers"],
        "persistent_workers": True,
        "sampler": {"type": "DefaultSampler", "shuffle": True},
        "dataset": {"type": "RepeatDataset", "times": times, "dataset": data},
    }
    return Runner.build_dataloader(cfg, seed=0)


def processor_seconds() -> float:
    """Return the processor time (utime and stime) of this process and its workers."""
    stats = [
        Path(f"/proc/{process}/stat").read_text(encoding="utf-8")
        for process in processes.processes()
    ]
    fields = [stat.rpartition(")")[2].split()[11:13] for stat in stats]
    return sum(int(ticks) for pair in fields for ticks in pair) / os.sysconf(
        "SC_CLK_TCK"
    )
