"""Memory that forked workers share with the process that started them."""

import gc
import multiprocessing
from pathlib import Path

import pytest
from mmengine.runner import Runner  # noqa: F401  (msg3d waits for it)

import msg3d  # noqa: F401


def private_kib():
    """Memory that this process alone has written to."""
    with Path("/proc/self/smaps_rollup").open(encoding="utf-8") as file:
        return sum(int(line.split()[1]) for line in file if "Private_Dirty" in line)


def collect(sender):
    before = private_kib()
    inherited = gc.get_freeze_count()
    gc.collect()
    grown = private_kib() - before
    cycle = []
    cycle.append(cycle)
    del cycle
    sender.send((inherited, grown, gc.collect()))


def test_a_collection_in_a_worker_copies_nothing():
    if "fork" not in multiprocessing.get_all_start_methods():
        pytest.skip("this system has no fork, so workers share nothing")
    # A collection that looked at them would copy 65 MiB.
    kept = [[number] for number in range(1_000_000)]
    fork = multiprocessing.get_context("fork")
    receiver, sender = fork.Pipe(duplex=False)
    worker = fork.Process(target=collect, args=(sender,))
    worker.start()
    inherited, grown, collected = receiver.recv()
    worker.join()
    assert inherited >= len(kept)
    assert grown < 20 * 1024  # KiB; the other tests leave about 6 MiB
    assert collected >= 1  # the worker's own objects are collected
    assert gc.get_freeze_count() < len(kept)  # the parent is not changed
