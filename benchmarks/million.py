"""Write, check, and train from a packed store of many short clips.

Clips are parts of synthetic actions, each with its own view, size, position, and speed. The
results are compared with those of a store of 10,000 clips. Memory is anonymous (RssAnon), so
it excludes the page cache: the increase while a store is written, the peak of the command
`msg3d check`, and the memory of the main process of a rank and of a worker at step 20 and at
the last step. `first_batch_s` starts at the construction of the data set. `ratio` compares
the speeds of both stores in the same processes, which read blocks of 20 batches from both in
turn, as median and quartiles. `--latency-ms` delays each read from a store, as a network file
system does.
"""

import math
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from unittest.mock import patch

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dist import barrier
from mmengine.logging import MMLogger
from mmengine.model import MMDistributedDataParallel
from mmengine.optim import OptimWrapper
from mmengine.registry import MODELS, init_default_scope
from mmengine.runner import Runner

import msg3d
from msg3d.io import npy
from msg3d.stores import load_store

from . import processes
from .processes import peak_memory, status
from .samples import write_clips
from .store import processor_seconds, size_of
from .timing import progress

FEW = 10_000
WARM_UP = 20  # steps before the first reading of memory
BLOCK = 20  # steps
RECIPE = "msg3d-24c_1xb16-joint-u32-20e_synthetic-xsub-keypoint-3d.py"
CONFIG = Path(msg3d.__file__).parent / "configs" / "msg3d" / RECIPE


def run(options, results) -> None:
    counts = sorted({min(FEW, options.samples), options.samples})
    created, readings = [], {}
    with tempfile.TemporaryDirectory(dir=options.folder or None) as folder:
        files = {count: Path(folder, f"{count}.packed") for count in counts}
        for count, file in files.items():
            progress(f"million: writing {count} clips to {folder}")
            (row,) = processes.run(write, {"file": str(file), "clips": count})
            progress(f"million: checking {count} clips")
            row.update(check(file))
            results.passed &= row.pop("status") == 0
            created.append({"clips": count, "gib": size_of(file) / 2**30, **row})
            results.table("write and check", created)
        for work in options.works:
            for number in range(1, options.rounds + 1):
                for count in counts[:: -1 if number % 2 else 1]:
                    progress(
                        f"million: {work}, round {number} of {options.rounds}: {count}"
                    )
                    task = dict(vars(options), file=str(files[count]), work=work)
                    ranks = processes.run(read, task, options.ranks)
                    readings.setdefault((work, count), []).append(ranks)
                results.table("load and train", summarize(readings))
        if len(counts) == 2:
            rows = []
            for work in options.works:
                progress(f"million: {work}, both stores in turn")
                paths = [str(file) for file in files.values()]
                task = dict(vars(options), files=paths, work=work)
                rows.append({"work": work, **ratio(task)})
                results.table("many clips in relation to few", rows)
    results.data["readings"] = [
        {"work": work, "clips": count, "rounds": rounds}
        for (work, count), rounds in readings.items()
    ]


def ratio(task: dict) -> dict:
    """Return the speed with the second store in relation to the first."""
    ranks = processes.run(alternate, task, task["ranks"])
    pairs = sorted(statistics.fmean(pair) for pair in zip(*ranks, strict=True))
    low, median, high = np.quantile(pairs, (0.25, 0.5, 0.75)).tolist()
    return {"pairs": len(pairs), "ratio": median, "q1": low, "q3": high}


def summarize(readings: dict) -> list[dict]:
    """Return a row for each kind of work and store.

    Args:
        readings: (work, number of clips) -> for each round, the result of each rank.
    """
    rows = []
    for (work, count), rounds in sorted(readings.items()):
        ranks = [rank for ranks in rounds for rank in ranks]
        # Ranks that train wait for each other, so the sum is the speed of the group.
        speeds = [sum(rank["samples_per_s"] for rank in ranks) for ranks in rounds]
        row = {"work": work, "clips": count}
        row["first_batch_s"] = statistics.median(
            rank["first_batch_s"] for rank in ranks
        )
        row["slowest_first_batch_s"] = max(rank["first_batch_s"] for rank in ranks)
        for key in ("main_20_mib", "main_last_mib", "worker_20_mib", "worker_last_mib"):
            row[key] = max(rank[key] for rank in ranks)
        row["samples_per_s"] = statistics.median(speeds)
        row["processor_ms_per_sample"] = statistics.median(
            rank["processor_ms_per_sample"] for rank in ranks
        )
        rows.append(row)
    return rows


def write(task: dict) -> dict:
    """Write a store in this process, and measure its time and additional memory."""
    before, start, worked = status("RssAnon"), time.perf_counter(), time.process_time()
    with peak_memory("self") as peak:
        write_clips(Path(task["file"]), task["clips"])
    return {
        "write_s": time.perf_counter() - start,
        "write_processor_s": time.process_time() - worked,
        "write_mib": peak[0] - before,
    }


def check(file: Path) -> dict:
    """Run `msg3d check`, and measure its time and memory."""
    command = [sys.executable, "-m", "msg3d", "check", str(file)]
    start, worked = time.perf_counter(), children_seconds()
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        with peak_memory(process.pid) as peak:
            exit_status = process.wait()
    finally:
        process.kill()
    return {
        "check_s": time.perf_counter() - start,
        "check_processor_s": children_seconds() - worked,
        "check_mib": peak[0],
        "status": exit_status,
    }


def children_seconds() -> float:
    """Return the processor time of all child processes that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def read(task: dict) -> dict:
    """Read batches in this process (a rank) and its workers, and train if required."""
    init_default_scope("mmaction")
    MMLogger.get_current_instance().setLevel("WARNING")
    step = train_step(task) if task["work"] == "train" else lambda batch: None
    barrier()
    start, result = time.perf_counter(), {}
    last = WARM_UP + task["batches"]
    with patch.object(npy, "_read_at", slow_reader(task["latency_ms"])):
        loader = build_loader(task)
        for number, batch in enumerate(loader):
            if number == 0:
                result["first_batch_s"] = time.perf_counter() - start
            step(batch)
            if number == WARM_UP:
                result.update(memory_of("20"))
                begin, worked = time.perf_counter(), processor_seconds()
            if number == last:
                break
    seconds = time.perf_counter() - begin
    samples = task["batch_size"] * (last - WARM_UP)
    worked = processor_seconds() - worked
    result["processor_ms_per_sample"] = 1e3 * worked / samples
    return dict(result, **memory_of("last"), samples_per_s=samples / seconds)


def alternate(task: dict) -> list[float]:
    """Read blocks of batches from two stores in turn, and train if required.

    Returns:
        Speed with the second store in relation to the first, for each pair of blocks.
    """
    init_default_scope("mmaction")
    MMLogger.get_current_instance().setLevel("WARNING")
    step = train_step(task) if task["work"] == "train" else lambda batch: None
    block, ratios = min(BLOCK, task["batches"]), []
    with patch.object(npy, "_read_at", slow_reader(task["latency_ms"])):
        loaders = [build_loader({**task, "file": file}) for file in task["files"]]
        batches = [iter(loader) for loader in loaders]
        for store in batches:
            for batch in islice(store, WARM_UP):
                step(batch)
        for number in range(task["batches"] // block):
            seconds = [0.0, 0.0]
            for store in (0, 1) if number % 2 else (1, 0):
                start = time.perf_counter()
                for batch in islice(batches[store], block):
                    step(batch)
                seconds[store] = time.perf_counter() - start
            ratios.append(seconds[0] / seconds[1])
    return ratios


def slow_reader(latency_ms: float) -> Callable:
    """Return the function that reads rows of a store, with an additional latency."""
    read_at = npy._read_at

    def read_late(*arguments) -> int:
        time.sleep(latency_ms / 1000)
        return read_at(*arguments)

    return read_late if latency_ms else read_at


def memory_of(when: str) -> dict:
    """Return the anonymous memory of this process and of a worker on average, in MiB."""
    main, *workers = (status("RssAnon", pid) for pid in processes.processes())
    worker = statistics.fmean(workers or [0.0])
    return {f"main_{when}_mib": main, f"worker_{when}_mib": worker}


def build_loader(task: dict):
    """Return a loader of the training split in random order."""
    cfg = Config.fromfile(CONFIG)
    data = {"type": "PackedSkeletonDataset", "ann_file": task["file"], "split": "train"}
    data.update(pipeline=cfg.train_pipeline)
    required = task["ranks"] * task["batch_size"] * (1 + WARM_UP + task["batches"])
    times = math.ceil(required / load_store(task["file"]).splits["train"])
    cfg = {
        "batch_size": task["batch_size"],
        "num_workers": task["num_workers"],
        "persistent_workers": task["num_workers"] > 0,
        "sampler": {"type": "DefaultSampler", "shuffle": True},
        "dataset": {"type": "RepeatDataset", "times": times, "dataset": data},
    }
    return Runner.build_dataloader(cfg, seed=0)


def train_step(task: dict):
    """Return a function that trains a small MS-G3D with a batch."""
    cfg = Config.fromfile(CONFIG).model
    channels = task["base_channels"]
    cfg.backbone.base_channels, cfg.cls_head.in_channels = channels, 4 * channels
    torch.manual_seed(0)
    model = MODELS.build(cfg).train()
    if task["ranks"] > 1:
        model = MMDistributedDataParallel(model, broadcast_buffers=False)
    sgd = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, nesterov=True)
    optimizer = OptimWrapper(sgd)
    return lambda batch: model.train_step(batch, optimizer)
