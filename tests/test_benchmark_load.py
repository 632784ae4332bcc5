"""The load benchmark sees what grows, and whether ranks see every sample once."""

import json
import multiprocessing
import os
import signal
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from conftest import REPOSITORY
from marked_processes import ended, marked

TOOLS = REPOSITORY / "tools"


@pytest.fixture(autouse=True)
def tools(monkeypatch):
    monkeypatch.syspath_prepend(str(TOOLS))


def readings(**growing):
    """A hundred of them; what `growing` names is a function of the epoch."""
    from benchmarks.load_epochs import MEMORY, NUMBERS

    flat = {**dict.fromkeys(MEMORY, 1000.0), **dict.fromkeys(NUMBERS, 10)}
    return [
        {**flat, "epoch": 10 * n, **{name: f(10 * n) for name, f in growing.items()}}
        for n in range(1, 101)
    ]


def compared(**growing):
    from benchmarks.load_epochs import compare

    return {row["name"]: row for row in compare(readings(**growing))}


def test_nothing_grows():
    rows = compared()
    assert all(row["flat"] and row["growth"] == 0 for row in rows.values())


def test_a_leak_of_memory_is_told_with_its_slope():
    rows = compared(main_rss=lambda epoch: 1000 + 0.05 * epoch)
    assert not rows.pop("main_rss")["flat"]
    assert all(row["flat"] for row in rows.values())
    leak = compared(main_rss=lambda epoch: 1000 + 0.05 * epoch)["main_rss"]
    assert leak["growth"] == pytest.approx(5)
    # Epochs 110 to 1000 are kept; the outer 22 readings of 90, and their middles.
    assert leak["first"] == pytest.approx(1000 + 0.05 * 215)
    assert leak["last"] == pytest.approx(1000 + 0.05 * 895)


def test_warming_up_and_one_peak_are_no_leak():
    warming = compared(anonymous=lambda epoch: 1000 - max(100 - epoch, 0))
    assert warming["anonymous"]["flat"]
    peak = compared(main_files=lambda epoch: 50 if epoch == 990 else 10)
    assert peak["main_files"]["flat"] and peak["main_files"]["growth"] == 0


def test_one_open_file_more_is_a_leak():
    rows = compared(main_files=lambda epoch: 10 + (epoch > 500))
    assert not rows["main_files"]["flat"]


def test_what_this_process_holds(tmp_path):
    from benchmarks.process_tree import held

    before = held()
    assert before["main_files"] == len(os.listdir("/proc/self/fd"))
    ballast = bytearray(os.urandom(1)) * (32 * 2**20)
    with open(tmp_path / "a", "w"), open(tmp_path / "b", "w"):
        during = held()
    assert during["main_files"] == before["main_files"] + 2
    assert 30 * 1024 < during["anonymous"] - before["anonymous"] < 40 * 1024  # KiB
    del ballast
    waits = multiprocessing.get_context("fork").Event()
    child = multiprocessing.get_context("fork").Process(target=waits.wait)
    child.start()
    after = held()
    tasks = [f"/proc/{process}/task" for process in ("self", child.pid)]
    threads = sum(len(os.listdir(folder)) for folder in tasks)
    waits.set()
    child.join()
    assert after["processes"] == before["processes"] + 1
    assert after["threads"] == threads
    assert after["workers_files"] > 0


def test_coverage_of_the_ranks():
    from benchmarks.load_ranks import covered

    whole = covered([[0, 2, 4], [1, 3, 5]], 6)
    assert whole == dict(missed=0, repeated=0, filled=0, exact=True)
    assert covered([[0, 2, 4], [1, 3, 0]], 5)["exact"]  # filled up for equal lengths
    both = covered([[0, 1, 2], [0, 1, 2]], 6)
    assert (both["missed"], both["repeated"], both["exact"]) == (3, 3, False)
    assert not covered([[0, 2], [1]], 4)["exact"]


def run(tmp_path, *arguments):
    out = tmp_path / "load.json"
    command = [sys.executable, "benchmark_load.py", *arguments, "--out", str(out)]
    done = subprocess.run(command, cwd=TOOLS, capture_output=True, text=True)
    assert out.is_file(), done.stderr[-3000:]
    return json.loads(out.read_text()), done


def test_a_training_is_watched(tmp_path):
    """The real loop; twelve epochs are too few to judge memory by."""
    options = ["--epochs", "12", "--tiny", "4", "--batch", "2", "--workers", "1"]
    data, done = run(tmp_path, "--parts", "epochs", "--forms", "pickle", *options)
    (row,) = data["epochs"]
    assert [one["epoch"] for one in row["readings"]] == list(range(1, 13))
    assert row["readings"][-1]["processes"] == 3  # both loaders have a worker
    numbers = {one["name"]: one for one in row["quantities"]}
    assert numbers["main_files"]["flat"] and numbers["processes"]["flat"]
    assert row["readings"][-1]["checkpoint"] > 10_000
    assert done.returncode == (0 if row["flat"] else 1)
    assert "open files, main process" in (tmp_path / "load.md").read_text()


def test_two_ranks_share_a_store(tmp_path):
    options = ["--samples", "101", "--rank-workers", "1", "--folder", str(tmp_path)]
    data, done = run(tmp_path, "--parts", "ranks", "--forms", "store", *options)
    assert done.returncode == 0, done.stderr[-3000:]
    (row,) = data["ranks"]
    assert (row["missed"], row["repeated"], row["filled"]) == (0, 1, 1)
    assert len(row["ranks"]) == 2
    for rank in row["ranks"]:
        assert rank["rank"] == pytest.approx(rank["main"] + rank["worker"])
        assert 0 < rank["main"] < rank["peak"] and rank["samples_per_second"] > 0


@pytest.fixture
def short_folder():
    """The workers' sockets lie in it, and their paths may have 107 letters at most."""
    with TemporaryDirectory() as folder:
        yield Path(folder)


@pytest.mark.parametrize(
    "number, code, part, processes",
    [
        # The training's two loaders have a worker each.
        (signal.SIGTERM, 143, ["epochs", "--workers", "1"], 4),
        (signal.SIGINT, 130, ["ranks", "--samples", "100000"], 2),  # making data
        (signal.SIGTERM, 143, ["ranks", "--samples", "100000"], 2),
    ],
)
def test_ends_clean(short_folder, number, code, part, processes):
    tmp_path = short_folder
    command = [sys.executable, "benchmark_load.py", "--out", tmp_path / "load.json"]
    command += ["--forms", "pickle", "--folder", tmp_path, "--parts", *part]

    def working(pids):
        return len(pids) == processes

    said = ended(command, TOOLS, tmp_path, number, code, working)
    lines = [line for line in said.splitlines() if not line.startswith("[")]
    assert lines == ["benchmark_load.py: interrupted"]  # beside the progress
    assert marked(tmp_path) == {}
    left = {path.name for path in tmp_path.iterdir()}
    # torch's cache is for all processes.
    assert {name for name in left if "torchinductor" not in name} == {
        "load.json",
        "load.md",
    }


@pytest.mark.parametrize(
    "option", [["--out", "load.txt"], ["--epochs", "9"]], ids=" ".join
)
def test_what_cannot_be_measured_is_refused(option, capsys):
    from benchmarks.load import main

    assert main(option) == 2
    assert " ".join(option) in capsys.readouterr().err
