"""One data set behind a loader with workers: the process that `store` starts.

Prints one line of JSON: seconds to the first batch from the data set's construction on,
samples and processor time a sample after it, and memory in KiB when that is done.
"""

import json
import os
import resource
import sys
import time

import torch
from mmaction.registry import DATASETS
from mmengine.config import Config
from mmengine.dataset import pseudo_collate, worker_init_fn
from mmengine.logging import MMLogger
from mmengine.registry import init_default_scope
from torch.utils.data import DataLoader

from .data import ntu_config
from .process_tree import memory, processes

BATCH = 16
WARM_UP = 50  # batches until every worker is under way


def main() -> None:
    wanted = json.loads(sys.argv[1])
    init_default_scope("mmaction")
    MMLogger.get_current_instance().setLevel("WARNING")
    torch.set_num_threads(1)
    pipeline = Config.fromfile(ntu_config("3d")).train_pipeline
    start = time.perf_counter()
    dataset = DATASETS.build(
        dict(
            type=wanted["type"],
            ann_file=wanted["ann_file"],
            split="xsub_train",
            pipeline=pipeline,
        )
    )
    # As RepeatDataset does, so that few samples last as long.
    order = torch.randperm(len(dataset)).tolist()
    needed = BATCH * (1 + WARM_UP + wanted["batches"] + 2 * wanted["workers"])
    loader = DataLoader(
        dataset,
        batch_size=BATCH,
        sampler=(order * (needed // len(order) + 1))[:needed],
        num_workers=wanted["workers"],
        collate_fn=pseudo_collate,
        worker_init_fn=_init_worker,
    )
    batches = iter(loader)
    next(batches)
    first = time.perf_counter() - start
    for _ in range(WARM_UP):
        next(batches)
    start, worked = time.perf_counter(), _processor_seconds()
    for _ in range(wanted["batches"]):
        next(batches)
    samples = BATCH * wanted["batches"]
    result = dict(
        first_batch=first,
        samples_per_second=samples / (time.perf_counter() - start),
        processor_ms=1000 * (_processor_seconds() - worked) / samples,
        **_memory(),
    )
    result["peak"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps(result))


def _init_worker(number: int) -> None:
    worker_init_fn(number, num_workers=1, rank=0, seed=0)


def _processor_seconds() -> float:
    """What they have worked so far: other programs' load is not in it."""
    ticks = 0
    for process in processes():
        with open(f"/proc/{process}/stat") as file:
            # utime and stime, of the fields after the name in brackets
            ticks += sum(map(int, file.read().rpartition(")")[2].split()[11:13]))
    return ticks / os.sysconf("SC_CLK_TCK")


def _memory() -> dict:
    """Their proportional set size, summed; KiB."""
    each = [memory(process) for process in processes()]
    fields = ("Pss", "Pss_Anon", "Pss_File")
    return {field: sum(one[field] for one in each) for field in fields}


if __name__ == "__main__":
    main()
