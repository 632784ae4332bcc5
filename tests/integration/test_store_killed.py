"""Stores whose writer process is killed."""

import multiprocessing
import random
import time

from spawned import write_stores

from msg3d.datasets import load_store, pack
from msg3d.errors import DataError
from samples import annotations, same


def write_and_kill(path, data, delay):
    """Write stores in a process that is killed after `delay` seconds."""
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
    """At any moment, the old or the new store is complete."""
    data = [annotations(seed=seed) for seed in (1, 2)]
    pack(data[0], tmp_path / "a.packed")
    rng = random.Random(0)
    for _ in range(30):
        write_and_kill(tmp_path / "a.packed", data, rng.uniform(0, 0.06))
        stored = load_store(tmp_path / "a.packed").unpack()
        assert same(stored, data[0]) or same(stored, data[1])
    # Some writers were killed midway.
    assert len(list((tmp_path / "a.packed").iterdir())) > 3


def test_killed_while_writing_the_first_store(tmp_path):
    """The store is complete, or reported as missing."""
    data = annotations(samples=300)
    rng, kinds = random.Random(0), []
    for number in range(10):
        path = tmp_path / f"{number}.packed"
        write_and_kill(path, [data], rng.uniform(0, 0.1))
        try:
            assert same(load_store(path).unpack(), data)
        except DataError as error:
            kinds.append(error.kind)
    assert set(kinds) <= {"not-found"}
