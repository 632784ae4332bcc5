"""Stores whose writer is killed."""

import multiprocessing
import random
import time

from spawned import write_stores

from msg3d.datasets import (
    load_store,
    pack,
)
from msg3d.errors import DataError
from samples import annotations, same


def killed_writer(path, data, delay):
    """A process that is killed `delay` seconds after it starts to write."""
    spawn = multiprocessing.get_context("spawn")
    receiver, sender = spawn.Pipe(duplex=False)
    process = spawn.Process(target=write_stores, args=(path, data, sender))
    process.start()
    receiver.recv()
    time.sleep(delay)
    process.kill()
    process.join()
    assert process.exitcode < 0


def test_killed_while_replacing(tmp_path):
    """At any moment the old store is there, or the new one, whole."""
    data = [annotations(seed=seed) for seed in (1, 2)]
    pack(data[0], tmp_path / "a.packed")
    choose = random.Random(0)
    for _ in range(30):
        killed_writer(tmp_path / "a.packed", data, choose.uniform(0, 0.06))
        stored = load_store(tmp_path / "a.packed").unpack()
        assert same(stored, data[0]) or same(stored, data[1])
    assert (
        len(list((tmp_path / "a.packed").iterdir())) > 3
    )  # some were killed on the way


def test_killed_at_the_first_store(tmp_path):
    """The store is complete, or refused as missing."""
    data = annotations(samples=300)
    choose, refusals = random.Random(0), []
    for number in range(10):
        path = tmp_path / f"{number}.packed"
        killed_writer(path, [data], choose.uniform(0, 0.1))
        try:
            assert same(load_store(path).unpack(), data)
        except DataError as error:
            refusals.append(error.kind)
    assert set(refusals) <= {"not-found"}
