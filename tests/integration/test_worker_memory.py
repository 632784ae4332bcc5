"""Memory that forked workers share with their parent process."""

import gc
import multiprocessing
from pathlib import Path

import pytest
from mmengine.runner import Runner  # noqa: F401  (enables the fixes of msg3d)

import msg3d  # noqa: F401


def private_kib():
    """Return the memory in KiB that only this process has written to."""
    with Path("/proc/self/smaps_rollup").open(encoding="utf-8") as file:
        return sum(int(line.split()[1]) for line in file if "Private_Dirty" in line)


def collect(sender):
    before = private_kib()
    inherited = gc.get_freeze_count()
    gc.collect()
    growth = private_kib() - before
    cycle = []
    cycle.append(cycle)
    del cycle
    sender.send((inherited, growth, gc.collect()))


def test_garbage_collection_in_workers_copies_nothing():
    if "fork" not in multiprocessing.get_all_start_methods():
        pytest.skip("needs fork: other workers share no memory")
    # A garbage collection that visits these objects would copy 65 MiB.
    objects = [[number] for number in range(1_000_000)]
    fork = multiprocessing.get_context("fork")
    receiver, sender = fork.Pipe(duplex=False)
    worker = fork.Process(target=collect, args=(sender,))
    worker.start()
    inherited, growth, collected = receiver.recv()
    worker.join()
    assert inherited >= len(objects)
    assert growth < 20 * 1024  # KiB; the other tests leave about 6 MiB
    assert collected >= 1  # the worker's own objects are collected
    assert gc.get_freeze_count() < len(objects)  # the parent is not changed
