"""Measure the peak memory of a training step, with one process per network.

`peak` is the peak of the step, and `backward peak` that of its backward pass, which includes
the saved tensors. Both exclude the network and its input. They are measured as resident
memory on a CPU, and as torch's allocations on a GPU. ST-GCN, AAGCN, and CTR-GCN have
their default sizes.
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
                    (peaks,) = processes.run(step_memory, {**vars(options), **row})
                    row |= peaks
                    plain = row["peak_mib"] if name == networks.PLAIN else plain
                    row["of_plain"] = row["peak_mib"] / plain if plain else None
            except processes.ProcessError as error:
                reason = str(error)
            row["error"] = reason
            results.table("memory", rows)


def step_memory(task: dict) -> dict:
    """Return the peaks of one training step and of its backward pass, in MiB."""
    options, dtype = Namespace(**task), task["dtype"]
    network = networks.build(options.network, options.layout, options)
    network = network.to(options.device, networks.storage(dtype))
    clips = networks.keypoints(options, options.batch, options.layout, dtype)
    with networks.precision(dtype):
        # The first step also loads kernels. Run it on one short clip.
        networks.step_of("train", network, clips[:1, :, :8].clone(), dtype)()
        network.zero_grad()
        peaks = []

        def read() -> None:
            peaks.append(peak_and_reset(options.device))

        step = networks.step_of("train", network, clips, dtype, read)
        # The step could reuse freed memory that the process has not returned.
        getattr(ctypes.CDLL(None), "malloc_trim", lambda _: None)(0)
        peak_and_reset(options.device)
        before = peak_and_reset(options.device)  # no allocation since the reset
        step()
        read()
    forward, backward = (peak - before for peak in peaks)
    return {"peak_mib": max(forward, backward), "backward_peak_mib": backward}


def peak_and_reset(device: str) -> float:
    """Return the peak since the last call in MiB, and lower it to the current usage."""
    if device == "cuda":
        torch.cuda.synchronize()
        peak = torch.cuda.max_memory_allocated() / 2**20
        torch.cuda.reset_peak_memory_stats()
        return peak
    peak = processes.status("VmHWM")
    Path("/proc/self/clear_refs").write_bytes(b"5")  # resets the peak
    return peak
