"""The model of scaling against sums done by hand, and one measurement of it."""

import json
import signal
import subprocess
import sys
from dataclasses import replace

import pytest

from conftest import REPOSITORY
from marked_processes import ended, marked

TOOLS = REPOSITORY / "tools"


@pytest.fixture(autouse=True)
def tools(monkeypatch):
    monkeypatch.syspath_prepend(str(TOOLS))


def test_a_ring_by_hand():
    from benchmarks.scaling_model import ring_seconds

    # Four processes: 2 * 3 / 4 of 8 MB at 1 GB/s are 12 ms, beside 1 ms and 6 * 0.1 ms.
    assert ring_seconds(4, 8e6, 1e9, 1e-3, 6e-4) == pytest.approx(13.6e-3)
    assert ring_seconds(1, 8e6, 1e9, 1e-3, 6e-4) == 0


def test_an_all_reduce_by_hand():
    from benchmarks.scaling_model import Cluster, all_reduce_seconds

    cluster = Cluster(node_gpus=8, inside=200e9, between=25e9)
    # Eight GPUs of one node: a ring of 14 hops, 2 * 7 / 8 of the bytes.
    ring = 8.4e-6 + 14 * 3.4e-6 + 1.75 * 100e6 / 200e9
    assert all_reduce_seconds(8, 100e6, cluster) == pytest.approx(ring)
    # Two nodes: 30 hops, 2 of them between the nodes, at the network's rate.
    ring = 8.4e-6 + 28 * 3.4e-6 + 2 * 9.6e-6 + 2 * 15 / 16 * 100e6 / 25e9
    assert all_reduce_seconds(16, 100e6, cluster) == pytest.approx(ring)
    # 64 nodes, few bytes: a tree, 7 hops in the node and 6 between, there and back.
    tree = 14e-6 + 2 * (7 * 1.2e-6 + 6 * 8.5e-6) + 2 * 8 / 25e9
    assert all_reduce_seconds(512, 8, cluster) == pytest.approx(tree)
    assert all_reduce_seconds(1, 100e6, cluster) == 0


def test_a_slow_link_inside_the_node_counts_too():
    from benchmarks.scaling_model import Cluster, all_reduce_seconds

    slow = Cluster(node_gpus=4, inside=10e9, between=25e9)
    even = Cluster(node_gpus=4, inside=10e9, between=10e9)
    assert all_reduce_seconds(8, 1e8, slow) == all_reduce_seconds(8, 1e8, even)


def test_a_prediction_by_hand():
    from benchmarks.scaling_model import (
        Cluster,
        Training,
        all_reduce_seconds,
        predict,
    )

    cluster = Cluster()
    training = Training(size=12.78e6, step=0.1, batch=16, samples=40_091, passes=80)
    row = predict(16, training, cluster)
    exchange = all_reduce_seconds(16, 12.78e6, cluster)
    exchange += all_reduce_seconds(16, 8, cluster)
    assert row["exchange"] == pytest.approx(exchange)
    assert row["step"] == pytest.approx(0.1 + exchange)
    assert row["batch"] == 256 and row["steps"] == 157  # 40,091 / 256 = 156.6
    assert row["efficiency"] + row["share"] == pytest.approx(1)
    assert row["samples_per_second"] == pytest.approx(256 / row["step"])
    assert row["hours"] == pytest.approx(157 * 80 * row["step"] / 3600)
    hidden = predict(16, replace(training, overlap=1.0), cluster)
    assert hidden["exchange"] == pytest.approx(all_reduce_seconds(16, 8, cluster))
    alone = predict(1, training, cluster)
    assert alone["efficiency"] == 1 and alone["share"] == 0


def test_prediction_from_measurements():
    """Two processes give rate and hop; four are predicted, on two cores."""
    from benchmarks.scaling import compare

    def rank(late):
        made = {}
        for count, step, with_ in ((1, 1.0, 1.0), (2, 1.0, 1.25), (4, 2.0, 4.0)):
            made[f"{count} without"] = [step - late] * 3
            made[f"{count} with"] = [with_ - late, with_ - late, 9.0]
        return made

    ranks = [rank(0.0), rank(0.1), rank(0.0), rank(0.0)]
    for one in ranks:
        one.update({"1 parameters": [0.0] * 3, "1 small": [0.0] * 3})
        one.update({"2 parameters": [0.21] * 3, "2 small": [0.01] * 3})
        one.update({"4 parameters": [0.7] * 3, "4 small": [0.1] * 3})
    one, two, four = compare(ranks, [1, 2, 4], size=10**8, cores=2)
    assert (one["share"], one["all_reduce_predicted"]) == (0, 0)
    assert two["without"] == 1.0 and two["with_"] == 1.25  # of the later rank
    assert two["share"] == pytest.approx(0.2)
    assert two["all_reduce_predicted"] == pytest.approx(0.21)  # what it was taken from
    # 2 * 3 / 4 of 1e8 bytes at 5e8 a second, 6 hops of 5 ms, on half a core.
    assert four["all_reduce_predicted"] == pytest.approx(2 * (0.3 + 0.03))
    assert four["step_predicted"] == pytest.approx(2.66)
    assert four["exchange"] == 2.0 and four["share"] == pytest.approx(0.5)


def test_the_gradients_of_the_recipe():
    from benchmarks.scaling_run import network

    from benchmarks.scaling import PARAMETER_BYTES

    numbers = sum(one.numel() for one in network(96).parameters())
    assert PARAMETER_BYTES == 4 * numbers


def test_the_table(capsys):
    from benchmarks.scaling import main

    assert main(["model", "--gpus", "1", "8", "--network", "200"]) == 0
    lines = capsys.readouterr().out.splitlines()
    cells = [cell.strip() for cell in lines[-1].strip("|").split("|")]
    assert cells[:2] == ["8", "128"] and cells[-1] == "0.1"  # the recipe's own batch
    assert main(["model", "--network", "0"]) == 2
    assert "--network" in capsys.readouterr().err


def test_one_measurement(tmp_path):
    out = tmp_path / "scaling.json"
    size = ["--channels", "6", "--frames", "4", "--batch", "1", "--rounds", "1"]
    command = [sys.executable, "benchmark_scaling.py", "measure", "--processes", "2"]
    subprocess.run(
        [*command, *size, "--out", str(out)], cwd=TOOLS, check=True, timeout=240
    )
    data = json.loads(out.read_text())
    assert [row["processes"] for row in data["scaling"]] == [1, 2]
    assert all(0 < row["without"] < 60 for row in data["scaling"])
    assert data["scaling"][1]["all_reduce"] > 0
    assert len(data["readings"]) == 2 and "share" in out.with_suffix(".md").read_text()


@pytest.mark.parametrize("number, code", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_ends_clean(tmp_path, number, code):
    """While torchrun's ranks, which are in groups of their own, are measuring."""

    def measuring(pids):
        return sum("benchmarks.scaling_run" in line for line in pids.values()) == 3

    command = [sys.executable, "benchmark_scaling.py", "measure", "--processes", "2"]
    out = tmp_path / "scaling.json"
    said = ended([*command, "--out", out], TOOLS, tmp_path, number, code, measuring)
    assert said == "benchmark_scaling.py: interrupted\n"
    assert marked(tmp_path) == {}
    left = {path.name for path in tmp_path.iterdir()}
    assert left <= {"scaling.json", "scaling.md"}
