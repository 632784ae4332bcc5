"""Time training steps in several gloo processes, with and without gradient exchange.

All numbers of processes are measured in turn. While a smaller number of processes trains,
the others wait without using processor time. Results are medians over rounds. `exchange` and
`share` compare steps of the same round. Bandwidth and latency are measured with two
processes. The other predictions use the formulas of `scaling-model`.
"""

import os
import statistics
from contextlib import nullcontext

import torch
import torch.distributed as dist
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from mmengine.logging import MMLogger
from mmengine.model import MMDistributedDataParallel
from mmengine.optim import OptimWrapper
from mmengine.registry import init_default_scope
from torch.optim import SGD

import msg3d  # noqa: F401  applies the compatibility fixes

from . import processes
from .scaling_model import ring
from .timing import interleave

SMALL = 2  # floats (8 bytes), to measure the latency


def run(options, results) -> None:
    counts = sorted({1, 2, *options.processes})
    task = {**vars(options), "processes": counts}
    readings = results.data["readings"] = processes.run(measure, task, counts[-1])
    size = sum(p.numel() for p in network(options.base_channels).parameters())
    cores = len(os.sched_getaffinity(0))
    results.table("scaling", compare(readings, counts, 4 * size, cores))


def compare(readings: list[dict], counts: list[int], size: int, cores: int) -> list:
    """Return a row of measured and predicted milliseconds per number of processes.

    Args:
        readings: name -> milliseconds per round, for each rank.
        counts: numbers of processes, including 2.
        size: size of the parameters in bytes.
        cores: number of cores that the processes share.
    """

    def rounds(count: int, name: str) -> list[float]:
        ranks = [rank[f"{count} {name}"] for rank in readings[:count]]
        # The slowest rank counts.
        return [max(values) for values in zip(*ranks, strict=True)]

    median = statistics.median
    small, large = median(rounds(2, "small")), median(rounds(2, "parameters"))
    latency, bandwidth = small / 2, size / max(large - small, 1e-6)
    rows = []
    for count in counts:
        pairs = list(zip(rounds(count, "with"), rounds(count, "without"), strict=True))
        alone = median(without for _, without in pairs)
        hops = 2 * (count - 1) * latency
        predicted = max(1.0, count / cores) * ring(count, size, bandwidth, 0, hops)
        row = {"processes": count, "step_without_exchange_ms": alone}
        row["step_with_exchange_ms"] = median(with_ for with_, _ in pairs)
        row["predicted_step_ms"] = alone + predicted
        row["exchange_ms"] = median(with_ - without for with_, without in pairs)
        row["share"] = median(1 - without / with_ for with_, without in pairs)
        row["all_reduce_ms"] = median(rounds(count, "parameters"))
        row["predicted_all_reduce_ms"] = predicted
        rows.append(row)
    return rows


def network(channels: int) -> torch.nn.Module:
    """Return the recognizer of the NTU RGB+D 60 recipe with this number of channels."""
    init_default_scope("mmaction")
    MMLogger.get_current_instance().setLevel("WARNING")
    torch.manual_seed(0)
    graph = {"layout": "nturgb+d", "mode": "binary_adj"}
    backbone = {"type": "MSG3D", "graph_cfg": graph, "base_channels": channels}
    head = {"type": "GCNHead", "num_classes": 60, "in_channels": 4 * channels}
    model = {"type": "RecognizerGCN", "backbone": backbone, "cls_head": head}
    return MODELS.build(model).train()


def measure(task: dict) -> dict:
    """Measure in this process (a rank), and return name -> milliseconds per round."""
    steps, times = {}, {}
    names = ("with", "without", "parameters", "small")
    for count in task["processes"]:
        group = dist.new_group(list(range(count)))  # All processes must call this.
        functions = [lambda: None] * len(names)  # Ranks outside the group only wait.
        if dist.get_rank() < count:
            functions = steps_of(group, task)
        for name, function in zip(names, functions, strict=True):
            steps[f"{count} {name}"] = function
    options = {"least": 0, "before": dist.barrier}
    *_, times = interleave(steps, task["rounds"], "scaling", **options)
    return {name: row["times_ms"] for name, row in times.items()}


def steps_of(group, task: dict) -> list:
    """Return the functions to time: steps with and without exchange, two exchanges."""
    model = network(task["base_channels"])
    wrapped = MMDistributedDataParallel(
        model, broadcast_buffers=False, process_group=group
    )
    sgd = SGD(model.parameters(), lr=0.01, momentum=0.9, nesterov=True)
    optimizer = OptimWrapper(sgd)
    rng = torch.Generator().manual_seed(dist.get_rank())
    labels = torch.randint(60, (task["batch_size"],), generator=rng).tolist()
    samples = [ActionDataSample().set_gt_label(label) for label in labels]
    shape = (len(labels), 1, 2, task["frames"], 25, 3)  # (N, clips, M, T, V, C)
    clips = torch.randn(shape, generator=rng)
    batch = {"inputs": list(clips), "data_samples": samples}
    size = sum(parameter.numel() for parameter in model.parameters())
    large, small = torch.zeros(size), torch.zeros(SMALL)

    def step(exchange: bool) -> None:
        with nullcontext() if exchange else wrapped.no_sync():
            wrapped.train_step(batch, optimizer)

    return [
        lambda: step(True),
        lambda: step(False),
        lambda: dist.all_reduce(large, group=group),
        lambda: dist.all_reduce(small, group=group),
    ]
