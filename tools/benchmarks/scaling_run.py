"""Training steps with and without exchange: the processes that `scaling` starts.

All of 1, 2, 4, ... processes are measured in one run and in turn: while the first two
train, the others wait and take no processor time.
"""

import time
from contextlib import nullcontext

import torch
import torch.distributed as dist
from mmengine.logging import MMLogger
from mmengine.model import MMDistributedDataParallel
from mmengine.optim import OptimWrapper
from mmengine.registry import init_default_scope
from torch.optim import SGD

import msg3d  # noqa: F401  mends the stack, before anything of mmaction

from .ranks import join, report

JOINTS = 25
# Bytes that are exchanged beside the parameters', to tell time a byte from time a hop.
SMALL = 8


def main() -> None:
    wanted = join()
    rank, steps = dist.get_rank(), {}
    for count in wanted["processes"]:
        group = dist.new_group(list(range(count)))  # all processes must make it
        if rank < count:
            steps[count] = _steps(group, wanted)
    readings = {name: [] for made in steps.values() for name in made}
    for number in range(wanted["rounds"] + 1):  # the first one warms up
        for count in wanted["processes"]:
            # Every other round backwards: what follows what is no advantage.
            made = list(steps.get(count, {}).items())[:: 1 if number % 2 else -1]
            for name, (step, group) in made:
                dist.barrier(group)
                start = time.perf_counter()
                step()
                if number:
                    readings[name].append(time.perf_counter() - start)
            dist.barrier()
    report(wanted, readings)


def _steps(group: dist.ProcessGroup, wanted: dict) -> dict:
    """What is timed in a group: name -> (step, group)."""
    model = network(wanted["channels"])
    wrapped = MMDistributedDataParallel(
        model, broadcast_buffers=False, process_group=group
    )
    optimizer = SGD(model.parameters(), lr=0.01, momentum=0.9, nesterov=True)
    optimizer = OptimWrapper(optimizer)
    batch = _batch(wanted["batch"], wanted["frames"])
    size = sum(one.numel() for one in model.parameters())
    buffers = {size: torch.zeros(size), SMALL // 4: torch.zeros(SMALL // 4)}

    def step(exchanging: bool) -> None:
        with nullcontext() if exchanging else wrapped.no_sync():
            wrapped.train_step(batch, optimizer)

    def exchange(numbers: int) -> None:
        dist.all_reduce(buffers[numbers], group=group)

    count = dist.get_world_size(group)
    return {
        f"{count} with": (lambda: step(True), group),
        f"{count} without": (lambda: step(False), group),
        f"{count} parameters": (lambda: exchange(size), group),
        f"{count} small": (lambda: exchange(SMALL // 4), group),
    }


def network(channels: int) -> torch.nn.Module:
    """The recipe's recognizer for NTU RGB+D 60, of so many channels."""
    from mmaction.registry import MODELS

    init_default_scope("mmaction")
    MMLogger.get_current_instance().setLevel("WARNING")
    torch.manual_seed(0)
    graph = dict(layout="nturgb+d", mode="binary_adj")
    return MODELS.build(
        dict(
            type="RecognizerGCN",
            backbone=dict(type="MSG3D", graph_cfg=graph, base_channels=channels),
            cls_head=dict(type="GCNHead", num_classes=60, in_channels=4 * channels),
        )
    ).train()


def _batch(size: int, frames: int) -> dict:
    """Clips [1, 2, T, 25, 3] with labels, two persons in each."""
    from mmaction.structures import ActionDataSample

    rng = torch.Generator().manual_seed(dist.get_rank())
    labels = torch.randint(60, (size,), generator=rng).tolist()
    clips = torch.randn(size, 1, 2, frames, JOINTS, 3, generator=rng)
    samples = [ActionDataSample().set_gt_label(label) for label in labels]
    return dict(inputs=list(clips), data_samples=samples)


if __name__ == "__main__":
    main()
