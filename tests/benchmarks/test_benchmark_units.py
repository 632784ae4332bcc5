"""Timer, tables, options, and computations of the benchmarks."""

import json
import mmap
import os
from argparse import Namespace
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks import (
    accelerator,
    exact,
    load,
    networks,
    parts,
    persons,
    processes,
    results,
    scaling,
    scaling_model,
    store,
)
from benchmarks.__main__ import main
from benchmarks.samples import write_samples
from benchmarks.timing import interleave, quartiles
from msg3d.apis.flops import flop_counter
from msg3d.datasets import SkeletonDataset, load_annotations, load_store


@pytest.fixture(autouse=True)
def machine(monkeypatch):
    """Replace the description of the machine, which tests/integration covers."""
    description = {"cpu": "a processor", "date": "today"}
    monkeypatch.setattr(results, "describe", lambda device: description)


class Clock:
    """Clock that advances only in its steps."""

    def __init__(self):
        self.now, self.calls = 0.0, []

    def __call__(self):
        return self.now

    def step(self, name, seconds):
        def step():
            self.calls.append(name)
            self.now += seconds

        return step


def test_steps_are_timed_in_turn():
    clock = Clock()
    steps = {"a": clock.step("a", 0.5), "b": clock.step("b", 0.25)}
    rounds = list(interleave(steps, 2, "test", clock=clock, least=0))
    assert clock.calls == ["a", "b", "b", "a", "a", "b"]  # alternating order
    assert [len(times["a"]["times_ms"]) for times in rounds] == [1, 2]
    assert rounds[1]["a"]["median_ms"] == 500
    assert rounds[1]["b"]["median_ms"] == 250


def test_fast_steps_are_repeated_and_divided_by_items():
    clock = Clock()
    steps = {"fast": clock.step("fast", 0.05)}
    (times,) = interleave(steps, 1, "test", clock=clock, least=0.2, per=10)
    assert len(clock.calls) == 1 + 4
    assert times["fast"]["median_ms"] == pytest.approx(5)


def test_failing_step_is_reported_once():
    def fail():
        raise RuntimeError("cannot do\nthis")

    errors = {}
    steps = {"fails": fail, "works": lambda: None}
    rounds = list(interleave(steps, 2, "test", least=0, errors=errors))
    assert errors == {"fails": "RuntimeError: cannot do"}
    assert [list(times) for times in rounds] == [["works"], ["works"]]
    with pytest.raises(RuntimeError):
        list(interleave(steps, 1, "test", least=0))


def test_quartiles():
    row = quartiles([5.0, 1.0, 2.0, 4.0, 3.0])
    assert (row["q1_ms"], row["median_ms"], row["q3_ms"]) == (2, 3, 4)
    assert quartiles([7.0])["median_ms"] == quartiles([7.0])["q3_ms"] == 7


def test_table_has_one_column_per_key():
    rows = [{"name": "a", "time_ms": 1234.5, "exact": False, "times_ms": [1.0]}]
    rows.append({"name": "b", "time_ms": 0.01234, "error": None, "count": 12345})
    heading, rule, first, second = results.table(rows).splitlines()
    assert heading == "| name | time ms | exact | count |"
    assert rule == "| --- | ---: | --- | ---: |"
    assert first == "| a | 1,234 | NO |  |"
    assert second == "| b | 0.0123 |  | 12,345 |"


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ("speed --layouts nosuch", "--layouts nosuch"),
        ("speed --against x=nosuch.py:Net", "nosuch.py"),
        ("speed --against nosuch.py", "--against nosuch.py"),
        ("speed --against plain=nosuch.py:Net", "plain"),
        ("memory --base-channels 3", "--base-channels 3"),
        ("exact --batch 0", "--batch 0"),
        ("load --epochs 9", "--epochs 9"),
        ("scaling-model --step-ms -1", "--step-ms -1"),
        ("scaling-model --output table.md", "table.md"),
        ("parse --raw nosuch", "--raw nosuch"),
        ("persons --samples 8 8", "--samples 8"),
        ("parts --layouts kinect20", "kinect20"),
    ],
)
def test_invalid_options(options, text, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(options.split()) == 2
    assert text in capsys.readouterr().err.splitlines()[-1]


def event(name, shapes=(), parent=None, microseconds=1000):
    """Return an event of the profiler."""
    event = Namespace(
        name=name,
        input_shapes=list(shapes),
        cpu_parent=parent,
        cpu_children=[],
        self_cpu_time_total=microseconds,
    )
    if parent:
        parent.cpu_children.append(event)
    return event


def test_events_are_split_by_part():
    step = event(parts.STEP)
    optimizer = event("optimizer", parent=step)
    sizes = [[2, 3], [3, 4]]
    linear = event("aten::linear", [*sizes, [4]], step)
    addmm = event("aten::addmm", [[4], *sizes, [], [], [2, 4]], linear)
    relu = event("aten::relu_", [[100]], step)
    events = [
        step,
        optimizer,
        event("aten::add_", [[5]], optimizer),
        event("aten::mm", [*sizes, [2, 4]], step),
        linear,
        addmm,
        event("aten::copy_", [[2, 4], [4]], addmm),  # of the bias
        event("aten::addmm_", [[2, 4], *sizes, [], []], step),
        event("aten::bmm", [[7, 2, 3], [7, 3, 4]], step),
        relu,
        event("aten::empty", [], relu),
        event("aten::clamp_min_", [[100]], relu),
        event("aten::sum", [[50], []], step),
        event("aten::copy_", [[60], [60]], step),
        event("aten::as_strided", [[100], [], []], step),
        event("aten::mm", sizes),  # outside the step
    ]
    split = parts.split(events, rate=1e-9, bandwidth=1e-9)
    assert split[parts.STEP]["ms"] == 15
    assert split["optimizer"] == {"ms": 2}
    assert split[parts.WEIGHTS]["ms"] == 3
    assert split[parts.WEIGHTS]["limit_ms"] == pytest.approx(3 * 2 * 2 * 3 * 4)
    assert split[parts.ADJACENCY]["limit_ms"] == pytest.approx(7 * 2 * 2 * 3 * 4)
    assert split[parts.ELEMENTWISE]["limit_ms"] == pytest.approx(4 * 100)
    assert split["sums"] == {"ms": 1, "limit_ms": pytest.approx(4 * 50)}
    assert split["copies and zeros"]["limit_ms"] == pytest.approx(4 * (120 + 12))
    assert split[parts.OTHER] == {"ms": 3}
    total = sum(part.get("limit_ms", 0) for part in split.values())
    assert total == pytest.approx(2 * split[parts.STEP]["limit_ms"])


def test_missing_gpu_and_unwritable_output(tmp_path, capsys):
    if not torch.cuda.is_available():
        assert main(["exact", "--device", "cuda"]) == 2
        assert "--device cuda" in capsys.readouterr().err
    (tmp_path / "file").touch()
    assert main(["scaling-model", "--output", f"{tmp_path}/file/table.json"]) == 2
    assert "file" in capsys.readouterr().err


def test_failed_check_sets_the_exit_status(tmp_path, monkeypatch, capsys):
    def run(options, results):
        results.passed = False

    monkeypatch.setattr(scaling_model, "run", run)
    assert main(["scaling-model", "--output", str(tmp_path / "table.json")]) == 1
    assert "check failed" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, True),
        ({"error": 1e-4}, False),  # above both limits
        ({"error": 1e-4, "plain_error": 2e-5}, True),
        ({"error": float("nan")}, False),
        ({"gradient_error": 0.1}, False),
        ({"dtype": "float64", "error": 1e-8, "plain_error": 0}, False),
    ],
)
def test_is_exact(changes, expected):
    row = {"dtype": "float32", "error": 1e-6, "plain_error": 1e-6}
    row.update(gradient_error=1e-3, plain_gradient_error=1e-6)
    if "dtype" in changes:
        del row["gradient_error"]
    assert exact.is_exact({**row, **changes}) == expected


def test_errors_of_quantities():
    def quantities(*gradients):
        return {
            "output": [torch.tensor([3.0, 4.0])],
            "gradient": [torch.tensor([value]) for value in gradients],
        }

    expected = quantities(100.0, 1e-9)
    same = accelerator.errors(expected, expected, "float64")
    assert same == {"output_error": 0, "gradient_error": 0, "exact": True}
    # A negligible gradient is compared with a thousandth of the largest one.
    row = accelerator.errors(quantities(100.0, 0.001), expected, "float64")
    assert row["gradient_error"] == pytest.approx(0.01, rel=1e-5)
    assert not row["exact"]
    row = accelerator.errors(quantities(float("nan"), 0.0), expected, "float64")
    assert not row["exact"]
    assert "exact" not in accelerator.errors(expected, expected, "float32")


def test_failing_job_sets_the_exit_status(tmp_path, monkeypatch):
    def fail(case, options):
        yield [{**case, "value": 1}]
        raise RuntimeError("cannot do\nthis")

    jobs = [("parity", {"layout": "coco"}, fail)]
    monkeypatch.setattr(accelerator, "jobs", lambda options: jobs)
    output = tmp_path / "table.json"
    assert main(["accelerator", "--device", "cpu", "--output", str(output)]) == 1
    rows = json.loads(output.read_text(encoding="utf-8"))["parity"]
    assert rows[0]["value"] == 1
    assert rows[1]["error"] == "RuntimeError: cannot do"


def test_emulated_data_types_are_skipped(monkeypatch):
    options = Namespace(device="cpu")
    assert not networks.emulated("float32", "cpu")
    assert not networks.emulated("bfloat16", "cuda")
    monkeypatch.setattr(networks, "emulated", lambda dtype, device: True)
    job = accelerator.unless_emulated(accelerator.peak, "bfloat16", options)
    ((row,),) = job({"layout": "coco"}, options)
    assert row["layout"] == "coco"
    assert "bfloat16" in row["error"]


def test_comparison_of_one_and_two_persons():
    readings = {
        "computed": ([7000.0, 7500.0], [17000.0, 27500.0]),
        "skipped": ([6000.0, 6000.0], [11000.0, 11000.0]),
        "grouped": ([6000.0, 6000.0], [10000.0, 10000.0]),
    }
    times = {
        (case, count): quartiles(values)
        for case, both in readings.items()
        for count, values in zip((2, 12), both, strict=True)
    }
    computed, skipped, grouped = persons.compare(times, 2, 12)
    assert computed["per_sample_ms"] == 1500  # median of both rounds
    assert skipped["per_sample_ms"] == 500
    assert skipped["faster"] == 3
    assert skipped["faster_range"] == "2.00 to 4.00"
    assert grouped["gain"] == pytest.approx(1.25)
    assert grouped["total_ms"] == 10000


def test_samples_are_grouped_by_the_number_of_persons(tmp_path):
    write_samples(tmp_path / "a.pkl", 20, two_persons=0.3)
    split = {"split": "xsub_val", "pipeline": []}
    data = SkeletonDataset(str(tmp_path / "a.pkl"), **split)
    counts = [len(data.get_data_info(index)["keypoint"]) for index in range(20)]
    order = list(persons.GroupedSampler(data, shuffle=False))
    assert sorted(order) == list(range(20))
    assert {1, 2} == set(counts)
    assert [counts[index] for index in order] == sorted(counts)


def test_flops_of_in_place_products():
    left, right = torch.ones(5, 2, 3), torch.ones(5, 3, 4)
    with flop_counter() as counter:
        torch.zeros(2, 4).addmm_(left[0], right[0])
        torch.zeros(5, 2, 4).baddbmm_(left, right)
        torch.zeros(2, 4).addbmm_(left, right)
        torch.addbmm(torch.zeros(2, 4), left, right)
    assert counter.get_total_flops() == 2 * 2 * 3 * 4 * (1 + 3 * 5)


@pytest.mark.parametrize(("batch", "single"), [(1, 1), (2, 1), (8, 6), (10, 7)])
def test_mix_of_one_and_two_persons(batch, single):
    options = Namespace(persons=2, frames=4, device="cpu")
    clips = networks.keypoints(options, batch, "coco", "float32", "mix")
    persons = (clips != 0).flatten(2).any(2).sum(1)
    assert persons.tolist().count(1) == networks.single_clips(batch) == single
    assert persons.tolist().count(2) == batch - single
    assert (clips[:, 0] != 0).all()


def grown(**functions):
    """Compare a hundred readings in which some quantities are functions of the epoch."""
    flat = {"checkpoint_bytes": 1, "main_rss_mib": 1000.0, "main_files": 10}
    readings = [
        {"epoch": epoch, **flat, **{name: f(epoch) for name, f in functions.items()}}
        for epoch in range(10, 1001, 10)
    ]
    return {row["quantity"]: row for row in load.compare(readings)}


def test_growth():
    assert all(row["flat"] and row["growth"] == 0 for row in grown().values())
    leak = grown(main_rss_mib=lambda epoch: 1000 + 0.05 * epoch)["main_rss_mib"]
    assert not leak["flat"]
    assert leak["growth"] == pytest.approx(5)
    # Medians of the first and last 22 of the 90 readings of epochs 110 to 1000.
    assert leak["first"] == pytest.approx(1000 + 0.05 * 215)
    assert leak["last"] == pytest.approx(1000 + 0.05 * 895)
    assert not grown(main_files=lambda epoch: 10 + (epoch > 500))["main_files"]["flat"]
    warm_up = grown(main_rss_mib=lambda epoch: 1000 - max(100 - epoch, 0))
    assert warm_up["main_rss_mib"]["flat"]
    peak = grown(main_files=lambda epoch: 50 if epoch == 990 else 10)["main_files"]
    assert peak["flat"]
    assert peak["growth"] == 0


def test_memory_and_files_of_this_process(tmp_path):
    before = load.resource_usage()
    # An array could reuse memory that earlier tests freed.
    ballast = mmap.mmap(-1, 2**25, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    for _ in range(32):  # one large object could stay in the process after its release
        ballast.write(b"1" * 2**20)
    with (tmp_path / "a").open("wb"), (tmp_path / "b").open("wb"):
        during = load.resource_usage()
    assert before["main_files"] == len(list(Path("/proc/self/fd").iterdir()))
    assert during["main_files"] == before["main_files"] + 2
    assert 30 < during["anonymous_mib"] - before["anonymous_mib"] < 40
    ballast.close()
    assert processes.status("VmHWM") >= processes.status("VmRSS") > 50


def test_load_of_other_processes(tmp_path, monkeypatch):
    monkeypatch.setattr(results, "Path", lambda path: tmp_path / "stat")
    monkeypatch.setattr(results.os, "times", lambda: (10.0, 5.0, 3.0, 2.0, 999.0))
    assert results.seconds_of_others() == 0  # not on Linux
    tick = os.sysconf("SC_CLK_TCK")
    seconds = [30, 4, 8, 1000, 100, 1, 2, 5, 7, 7]  # idle 1000, iowait 100
    fields = " ".join(str(number * tick) for number in seconds)
    (tmp_path / "stat").write_text(f"cpu  {fields}\ncpu0 1\n", encoding="utf-8")
    assert results.seconds_of_others() == 50 - 20


def test_coverage_of_ranks():
    assert store.coverage([[0, 2, 4], [1, 3, 5]], 6) == {"missed": 0, "repeated": 0}
    # One sample is repeated because both ranks read three.
    assert store.coverage([[0, 2, 4], [1, 3, 0]], 5) == {"missed": 0, "repeated": 0}
    assert store.coverage([[0, 1, 2], [0, 1, 2]], 6) == {"missed": 3, "repeated": 3}


def test_samples_of_store_and_pickle_are_equal(tmp_path):
    for name in ("ntu.pkl", "ntu.packed"):
        write_samples(tmp_path / name, 60)
    pickled = load_annotations(tmp_path / "ntu.pkl")["annotations"]
    packed = load_store(tmp_path / "ntu.packed")
    assert len(packed) == len(pickled) == 60
    for sample, expected in zip(packed, pickled, strict=True):
        assert sample["frame_dir"] == expected["frame_dir"]
        np.testing.assert_array_equal(sample["keypoint"], expected["keypoint"])
    frames = [sample["total_frames"] for sample in pickled]
    assert min(frames) >= 30
    assert max(frames) <= 300
    assert 70 < np.median(frames) < 100


def test_all_reduce_times():
    links = {"node_gpus": 8, "inside": 200e6, "between": 25e6}  # bytes per millisecond
    # Four processes: 2 * 3 / 4 of 8 MB at 1 GB/s take 12 ms, plus 1 ms and 6 * 0.1 ms.
    assert scaling_model.ring(4, 8e6, 1e6, 1, 0.6) == pytest.approx(13.6)
    # Eight GPUs of one node: a ring of 14 hops, 2 * 7 / 8 of the bytes.
    ring = 8.4e-3 + 14 * 3.4e-3 + 1.75 * 100e6 / 200e6
    assert scaling_model.all_reduce(8, 100e6, **links) == pytest.approx(ring)
    # Two nodes: 30 hops, 2 of them between the nodes, at the bandwidth of the network.
    ring = 8.4e-3 + 28 * 3.4e-3 + 2 * 9.6e-3 + 2 * 15 / 16 * 100e6 / 25e6
    assert scaling_model.all_reduce(16, 100e6, **links) == pytest.approx(ring)
    # 64 nodes, few bytes: a tree with 7 hops in a node and 6 between nodes, both ways.
    tree = 14e-3 + 2 * (7 * 1.2e-3 + 6 * 8.5e-3) + 2 * 8 / 25e6
    assert scaling_model.all_reduce(512, 8, **links) == pytest.approx(tree)
    assert scaling_model.all_reduce(1, 100e6, **links) == 0
    # The slowest link may be inside a node.
    times = [scaling_model.all_reduce(8, 1e8, 4, 10e6, b) for b in (25e6, 10e6)]
    assert times[0] == times[1]


def test_prediction():
    size = {"node_gpus": 8, "inside": 200.0, "bytes": 12.78e6, "step_ms": 100.0}
    options = Namespace(**size, batch_size=16, samples=40_091)
    row = scaling_model.predict(200.0, 16, options)
    links = (8, 200e6, 25e6)
    exchange = sum(scaling_model.all_reduce(16, n, *links) for n in (12.78e6, 8))
    assert row["exchange_ms"] == pytest.approx(exchange)
    assert row["global_batch"] == 256
    assert row["steps_per_pass"] == 157
    assert row["efficiency"] == pytest.approx(100 / (100 + exchange))
    assert row["samples_per_s"] == pytest.approx(256e3 / (100 + exchange))
    assert scaling_model.predict(200.0, 1, options)["efficiency"] == 1


def test_prediction_from_measurements():
    """Predict four processes on two cores from the measurements of two processes."""

    def rank(lead):
        times = {}
        for count, step, with_ in ((1, 1.0, 1.0), (2, 1.0, 1.25), (4, 2.0, 4.0)):
            times[f"{count} without"] = [step - lead] * 3
            times[f"{count} with"] = [with_ - lead, with_ - lead, 9.0]
        for count, large, small in ((1, 0.0, 0.0), (2, 0.21, 0.01), (4, 0.7, 0.1)):
            times[f"{count} parameters"] = [large] * 3
            times[f"{count} small"] = [small] * 3
        return times

    ranks = [rank(lead) for lead in (0.0, 0.1, 0.0, 0.0)]
    one, two, four = scaling.compare(ranks, [1, 2, 4], size=10**8, cores=2)
    assert (one["share"], one["predicted_all_reduce_ms"]) == (0, 0)
    assert two["step_without_exchange_ms"] == 1.0  # of the slowest rank
    assert two["step_with_exchange_ms"] == 1.25
    assert two["share"] == pytest.approx(0.2)
    assert two["predicted_all_reduce_ms"] == pytest.approx(0.21)
    # 2 * 3 / 4 of 1e8 bytes at 5e8 per unit, 6 hops of 0.005, half a core per process.
    assert four["predicted_all_reduce_ms"] == pytest.approx(2 * (0.3 + 0.03))
    assert four["predicted_step_ms"] == pytest.approx(2.66)
    assert four["exchange_ms"] == 2.0
    assert four["share"] == pytest.approx(0.5)


def test_default_size_of_the_gradients():
    from benchmarks.options import COMMANDS

    parameters = sum(p.numel() for p in scaling.network(96).parameters())
    assert COMMANDS["scaling-model"]["bytes"] == 4 * parameters
