"""Measure the peak memory of a training step, with one process per network.

The peak excludes the network and its input. It is measured as resident memory on a CPU, and
as torch's allocations on a GPU. ST-GCN, AAGCN, and CTR-GCN have their default sizes.
"""

import ctypes
from argparse import Namespace
from itertools import product
from pathlib import Path

import torch

from . import networks, processes
from .timing import progress


def run(options, results) -> None:
    rows = []
    for case in product(options.layouts, options.dtypes, options.batch):
        plain = None
        for name in networks.names(options):
            row = dict(
                zip(("layout", "dtype", "batch"), case, strict=True), network=name
            )
            progress("memory: {layout} {dtype} batch {batch} {network}".format(**row))
            rows.append(row)
            reason = networks.unsupported(row["dtype"], options.device)
            try:
                if not reason:
                    (peak,) = processes.run(step_memory, {**vars(options), **row})
                    row["peak_mib"] = peak
                    plain = peak if name == networks.PLAIN else plain
                    row["of_plain"] = peak / plain if plain else None
            except processes.ProcessError as error:
                reason = str(error)
            row["error"] = reason
            results.table("memory", rows)


def step_memory(task: dict) -> float:
    """Return the peak memory of one training step in this process, in MiB."""
    options, dtype = Namespace(**task), task["dtype"]
    network = networks.build(options.network, options.layout, options)
    network = network.to(options.device, networks.storage(dtype))
    clips = networks.keypoints(options, options.batch, options.layout, dtype)
    with networks.precision(dtype):
        # The first step also loads kernels. Run it on one short clip.
        networks.step_of("train", network, clips[:1, :, :8].clone(), dtype)()
        network.zero_grad()
        step = networks.step_of("train", network, clips, dtype)
        if options.device == "cuda":
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()
            before = torch.cuda.memory_allocated()
            step()
            return (torch.cuda.max_memory_allocated() - before) / 2**20
        # The step could reuse freed memory that the process has not returned.
        getattr(ctypes.CDLL(None), "malloc_trim", lambda _: None)(0)
        Path("/proc/self/clear_refs").write_bytes(b"5")  # resets the peak
        before = processes.status("VmRSS")
        step()
        return processes.status("VmHWM") - before
