"""Benchmarks that start processes: reports of several ranks, and SIGTERM."""

import json
import signal
import sys
import tempfile
from argparse import Namespace
from pathlib import Path

import pytest
import torch

from benchmarks import accelerator, load, million, processes, scaling, store
from benchmarks.samples import write_samples
from conftest import REPOSITORY
from marked_processes import ended, marked


def test_error_in_a_process():
    with pytest.raises(processes.ProcessError) as error:
        processes.run(json.loads, {"name": "no text"})
    assert str(error.value).startswith("TypeError: ")


def read_and_train(task):
    """Run the work of a rank of `store` and of `scaling`."""
    return store.read(task), scaling.measure(task)


def test_two_processes(tmp_path):
    write_samples(tmp_path / "ntu.packed", 101)
    task = {"type": "PackedSkeletonDataset", "ann_file": str(tmp_path / "ntu.packed")}
    task.update(num_workers=1, ranks=2, processes=[1, 2], rounds=1)
    task.update(base_channels=6, frames=4, batch_size=1)
    ranks, readings = zip(*processes.run(read_and_train, task, 2), strict=True)
    # Together they read every sample.
    seen = [rank.pop("seen") for rank in ranks]
    assert store.coverage(seen, 101) == {"missed": 0, "repeated": 0}
    for rank in ranks:
        assert all(number > 0 for number in rank.values())
        assert rank["rank_mib"] == rank["main_mib"] + rank["worker_mib"]
    rows = scaling.compare(readings, [1, 2], 1000, 2)
    assert [row["processes"] for row in rows] == [1, 2]
    assert all(0 < row["step_without_exchange_ms"] < 60_000 for row in rows)
    assert rows[1]["all_reduce_ms"] > 0


def test_two_ranks_train_on_short_clips(tmp_path):
    task = {"file": str(tmp_path / "clips.packed"), "clips": 200, "work": "train"}
    task.update(ranks=2, num_workers=1, batch_size=2, batches=3, base_channels=6)
    task.update(latency_ms=0.0)
    (written,) = processes.run(million.write, task)
    assert written["write_s"] > 0
    checked = million.check(tmp_path / "clips.packed")
    assert checked["status"] == 0
    assert checked["check_mib"] > 10
    ranks = processes.run(million.read, task, 2)
    assert all(number > 0 for rank in ranks for number in rank.values())
    (row,) = million.summarize({("train", 200): [ranks]})
    assert row["samples_per_s"] == sum(rank["samples_per_s"] for rank in ranks)
    task["files"] = [task["file"]] * 2
    ratio = million.ratio(task)
    assert ratio["pairs"] == 1
    assert ratio["ratio"] > 0


def test_compiled_network_is_exact():
    options = Namespace(device="cpu", against=[])
    options.base_channels, options.frames, options.persons = 12, 8, 2
    with accelerator.accelerator_path():
        ((row,),) = accelerator.compiled_parity({"layout": "coco"}, options)
    assert row["exact"]


def test_training_is_monitored(tmp_path):
    write_samples(tmp_path / "tiny.pkl", 4)
    task = {"type": "SkeletonDataset", "ann_file": str(tmp_path / "tiny.pkl")}
    task.update(epochs=10, batch_size=2, num_workers=1, work_dir=str(tmp_path))
    readings = load.train(task)
    assert [reading["epoch"] for reading in readings] == list(range(1, 11))
    assert readings[-1]["processes"] == 3  # both loaders have a worker
    assert readings[-1]["checkpoint_bytes"] > 10_000
    rows = {row["quantity"]: row for row in load.compare(readings)}
    assert rows["main_files"]["flat"]
    assert rows["processes"]["flat"]


@pytest.fixture
def short_path():
    """Short path for TMPDIR: paths of sockets are limited to 107 bytes."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def test_sigterm_ends_all_processes(short_path):
    command = [sys.executable, "-m", "benchmarks", "load", "--num-workers", "1"]
    command += ["--output", short_path / "load.json"]

    def training(pids):
        # The command, the resource tracker, the training process, and two workers.
        return len(pids) == 5

    lines = ended(command, REPOSITORY, short_path, signal.SIGTERM, 143, training)
    assert lines.splitlines()[-1] == "benchmarks load: interrupted"
    assert "Traceback" not in lines
    assert marked(short_path) == {}
    files = {path.name for path in short_path.iterdir() if "inductor" not in path.name}
    assert files == {"load.json", "load.md"}
    report = json.loads((short_path / "load.json").read_text(encoding="utf-8"))
    machine = report["machine"]
    assert machine["cpu"]
    assert machine["torch"] == torch.__version__
