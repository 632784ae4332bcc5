"""One epoch of one rank's loader: the processes that `load_ranks` starts.

The recipe's training pipeline, sampler and loader, made by MMEngine as for training.
"""

import resource
import time

import torch.distributed
from mmengine.config import Config
from mmengine.logging import MMLogger
from mmengine.registry import init_default_scope
from mmengine.runner import Runner

from .data import ntu_config
from .process_tree import memory, processes
from .ranks import join, report

MEASURED = 1 / 2  # of the epoch's batches; memory is read there, with all under way


def main() -> None:
    wanted = join()
    init_default_scope("mmaction")
    MMLogger.get_current_instance().setLevel("WARNING")
    cfg = Config.fromfile(ntu_config("3d"))
    start = time.perf_counter()
    loader = Runner.build_dataloader(
        dict(
            batch_size=wanted["batch"],
            num_workers=wanted["workers"],
            persistent_workers=True,
            sampler=cfg.train_dataloader.sampler,
            dataset=dict(
                type=wanted["type"],
                ann_file=wanted["ann_file"],
                split="xsub_train",
                pipeline=cfg.train_pipeline,
            ),
        ),
        seed=0,
    )
    seen, first, held = [], None, None
    for number, batch in enumerate(loader):
        first = first or time.perf_counter() - start
        seen += [int(one.frame_dir[-6:]) for one in batch["data_samples"]]
        if number == int(MEASURED * len(loader)):
            held = _memory()
            torch.distributed.barrier()  # both are there while both are read
    spent = time.perf_counter() - start - first
    report(
        wanted,
        dict(
            seen=seen,
            first_batch=first,
            samples_per_second=(len(seen) - wanted["batch"]) / max(spent, 1e-9),
            peak=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
            **held,
        ),
    )


def _memory() -> dict:
    """PSS in KiB: of the rank's main process, of its workers, on average and summed."""
    torch.distributed.barrier()
    main, *workers = processes()
    mine, others = memory(main)["Pss"], [memory(one)["Pss"] for one in workers]
    return dict(
        main=mine,
        worker=sum(others) / max(len(others), 1),
        rank=mine + sum(others),
    )


if __name__ == "__main__":
    main()
