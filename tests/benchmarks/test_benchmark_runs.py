"""Each benchmark runs once at a tiny size in this process."""

import json
import math
from functools import partial

import numpy as np
import pytest
import torch

import plain_ntu
from benchmarks import (
    data,
    dropout,
    exact,
    million,
    parse,
    parts,
    persons,
    processes,
    results,
    speed,
    stream,
    summary,
    timing,
)
from benchmarks.__main__ import main
from benchmarks.samples import write_samples
from in_process import msg3d_command
from msg3d.models import by_sample
from msg3d.stores import load_store

TINY = "--base-channels 12 --frames 8 --threads 1"


@pytest.fixture(autouse=True)
def machine(monkeypatch):
    """Replace the description of the machine, which tests/integration covers."""
    description = {"cpu": "a processor", "date": "today"}
    monkeypatch.setattr(results, "describe", lambda device: description)


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Run a benchmark without child processes."""

    def run_in_process(function, task, count=1):
        return [function(task)]

    monkeypatch.setattr(processes, "run", run_in_process)
    threads = torch.get_num_threads()

    monkeypatch.setitem(speed.GEMM_SIZE, "cpu", 64)
    monkeypatch.setattr(exact, "CHANNELS", 12)
    for module in (
        data,
        dropout,
        parse,
        parts,
        persons,
        speed,
        stream,
        summary,
    ):  # one step per reading
        once = partial(timing.interleave, least=0)
        monkeypatch.setattr(module, "interleave", once)

    def measure(options):
        output = tmp_path / "tiny.json"
        assert main([*options.split(), "--output", str(output)]) == 0
        written = json.loads(output.read_text(encoding="utf-8"))
        assert written["machine"]["cpu"]
        assert written["machine"]["date"]
        text, printed = (
            output.with_suffix(".md").read_text(encoding="utf-8"),
            capsys.readouterr().out,
        )
        assert f"python -m benchmarks {options}" in text
        assert text in printed
        return written

    yield measure
    torch.set_num_threads(threads)


def positive(number):
    return math.isfinite(number) and number > 0


def test_speed(run, tmp_path):
    file = tmp_path / "others.py"
    file.write_text(
        "from reference import ReferenceMSG3D as Same\n"
        "class Broken(Same):\n"
        "    def forward(self, x):\n"
        "        raise RuntimeError('cannot do\\nthis')\n",
        encoding="utf-8",
    )
    options = f"speed {TINY} --allocator default --batch 2 --rounds 2 --layouts nturgb+d --models msg3d ctrgcn"
    options += f" --against same={file}:Same broken={file}:Broken"
    rows = run(f"{options} --dtypes float32 tf32")["speed"]
    chart = (tmp_path / "tiny.svg").read_text(encoding="utf-8")
    assert all(text in chart for text in ("CTR-GCN", "same", "broken", "failed"))
    assert rows.pop()["error"].startswith("skipped: tf32")
    rows = {(row["part"], row["network"]): row for row in rows}
    for part in ("infer", "absent", "mix", "train"):
        for network in ("plain", "msg3d", "ctrgcn", "same"):
            row = rows[part, network]
            assert len(row["times_ms"]) == 2
            assert 0 < row["q1_ms"] <= row["median_ms"] <= row["q3_ms"]
            assert positive(row["times_plain"])
            assert positive(row["clips_per_s"])
            assert positive(row["gemm_share"])
            assert row["mparams"] == rows["infer", network]["mparams"]
        assert positive(rows[part, "gemm"]["gflop_per_s"])
        assert rows[part, "plain"]["times_plain"] == 1
        assert rows[part, "msg3d"]["difference"] < 1e-3
        assert rows[part, "msg3d"]["exact"]
        assert rows[part, "same"]["difference"] == 0
        assert "difference" not in rows[part, "ctrgcn"]
        assert rows[part, "broken"]["error"] == "RuntimeError: cannot do"
    gmac = {key: row["gmac"] for key, row in rows.items() if "gmac" in row}
    # With so few channels, msg3d also multiplies the padding of windows.
    assert gmac["infer", "msg3d"] < 1.05 * gmac["infer", "plain"]
    # Only msg3d skips absent persons. One of the two clips of the mix has one.
    assert gmac["absent", "msg3d"] == pytest.approx(gmac["infer", "msg3d"] / 2)
    assert gmac["mix", "msg3d"] == pytest.approx(0.75 * gmac["infer", "msg3d"])
    assert gmac["absent", "ctrgcn"] == gmac["mix", "ctrgcn"] == gmac["infer", "ctrgcn"]


def test_interruption_keeps_the_results(run, tmp_path, monkeypatch):
    lines = []

    def interrupt(text):
        lines.append(text)
        if "round 2" in text:
            raise KeyboardInterrupt

    monkeypatch.setattr(timing, "progress", interrupt)
    options = f"speed {TINY} --allocator default --batch 1 --layouts coco --models msg3d --parts infer"
    with pytest.raises(SystemExit) as stopped:
        run(f"{options} --rounds 3")
    assert stopped.value.code == 130
    rows = json.loads((tmp_path / "tiny.json").read_text(encoding="utf-8"))["speed"]
    assert {row["network"]: len(row["times_ms"]) for row in rows} == {
        "plain": 1,
        "msg3d": 1,
        "gemm": 1,
    }


def test_exact(run):
    rows = run(f"exact {TINY} --layouts coco")["exact"]
    assert [row["part"] for row in rows] == ["infer"] * 2 + ["absent"] * 2 + [
        "train"
    ] * 2
    assert all(row["exact"] for row in rows)
    assert max(row["error"] for row in rows if row["dtype"] == "float64") < 1e-9


def test_memory(run):
    rows = run(f"memory {TINY} --batch 2 --layouts coco --models msg3d")["memory"]
    assert [row["network"] for row in rows] == ["plain", "msg3d"]
    assert all(positive(row["peak_mib"]) and positive(row["of_plain"]) for row in rows)


def test_parts(run):
    options = f"parts {TINY} --allocator default --batch-size 2 --rounds 2"
    rows = run(f"{options} --layouts coco")["parts"]
    rows = {row["part"]: row for row in rows}
    names = {parts.STEP, speed.GEMM, *parts.KINDS, *parts.STAGES}
    assert set(rows) == names
    for row in rows.values():
        assert 0 < row["q1_ms"] <= row["median_ms"] <= row["q3_ms"]
    shares = [
        row["share"]
        for name, row in rows.items()
        if name not in (parts.STEP, speed.GEMM)
    ]
    assert sum(shares) == pytest.approx(1, abs=0.1)  # medians
    # The products of the backward pass include recomputation.
    work = rows[parts.WEIGHTS]["gflop"] + rows[parts.ADJACENCY]["gflop"]
    assert 0.9 < work / rows[parts.STEP]["gflop"] < 1.5
    assert positive(rows[parts.STEP]["limit_ms"])


def test_dropout(run):
    options = "dropout --widths 6 12 --frames 8 --batch-size 1 --rounds 1"
    rows = run(f"{options} --allocator default")["dropout"]
    assert [row["channels"] for row in rows] == [6] * 6 + [12] * 6
    assert {row["position"] for row in rows} == {"none", *dropout.POSITIONS}
    assert all(positive(row["ratio"]) and positive(row["gemm_share"]) for row in rows)
    assert rows[0]["ratio"] == 1


def test_accelerator(run, monkeypatch):
    # Compiling takes minutes. tests/integration checks that compiled networks are exact.
    monkeypatch.setattr(torch, "compile", lambda network, **options: network)
    options = f"accelerator {TINY} --device cpu --layouts coco --dtypes float32 tf32"
    tables = run(f"{options} --batch 2 --rounds 1")
    exact_rows = [row for row in tables["parity"] if row["dtype"] == "float64"]
    assert [row["network"] for row in exact_rows] == ["msg3d"]
    for row in [*exact_rows, *tables["compile"]]:
        assert row["exact"]
        for quantity in ("output", "gradient", "statistics"):
            assert row[f"{quantity}_error"] <= 1e-9
    modes = [(row["device"], row["mode"]) for row in tables["saved"][::2]]
    assert modes == [("meta", "eager"), ("cpu", "eager"), ("cpu", "compiled")]
    for name in ("saved", "peak"):
        for plain, ours in zip(tables[name][::2], tables[name][1::2], strict=True):
            assert (plain["network"], ours["network"]) == ("plain", "msg3d")
            assert plain["of_plain"] == 1
            assert positive(ours["of_plain"])
    assert len({row["mib_per_clip"] for row in tables["saved"][::2]}) == 1
    assert all(
        0 < row["backward_peak_mib"] <= row["peak_mib"] for row in tables["peak"]
    )
    *timed, skipped = tables["speed"]
    assert skipped["error"].startswith("skipped: tf32")
    assert {row["part"] for row in timed} == {"infer", "train"}
    assert all(row["exact"] for row in timed if row["network"] == "msg3d")
    assert by_sample.MIN_ELEMENTS < 1 << 60


def test_time_limit(run):
    tables = run(f"accelerator {TINY} --device cpu --minutes 0")
    for name in ("parity", "saved", "peak", "speed", "compile"):
        assert tables[name]
        assert all(row["error"].startswith("skipped") for row in tables[name])


def test_summary(run, monkeypatch):
    commands = []
    # Training commands are processes.
    monkeypatch.setattr(
        summary, "until_first_iteration", lambda words, folder: commands.append(words)
    )
    monkeypatch.setattr(summary.nets, "emulated", lambda dtype, device: True)
    rows = run(f"summary {TINY} --batch 2 --rounds 1")["summary"]
    assert [row["ratio"] > 0 for row in rows if "ratio" in row] == [True] * 7
    assert sum("instructions" in row.get("note", "") for row in rows) == 3
    assert {command[-2] for command in commands} == {"train", "mmaction"}


def test_full_summary(run, monkeypatch):
    monkeypatch.setattr(summary.nets, "emulated", lambda dtype, device: False)
    for section in ("memory", "exported", "starts"):
        monkeypatch.setattr(summary, section, lambda options: iter(()))
    rows = run(f"summary {TINY} --batch 2 --rounds 1 --full")["summary"]
    assert len(rows) == 3 * (2 + len(summary.OTHERS))
    assert all(row["from"] <= row["ratio"] <= row["to"] for row in rows)


def test_persons(run, tmp_path, monkeypatch):
    write_samples(tmp_path / "ntu.pkl", 6, two_persons=0.5)
    task = {"ann_file": str(tmp_path / "ntu.pkl"), "batch_size": 4, "num_workers": 0}
    task.update(base_channels=6, frames=8, persons=2)
    # Formatting the config takes longer than the test.
    formatted = "mmengine.config.config.FormatCode"
    monkeypatch.setattr(formatted, lambda text, **_: (text, True))
    scores = {case: persons.test({**task, "case": case}) for case in persons.CASES}
    assert np.shape(scores["computed"]) == (6, 60)
    # Loader workers are processes.
    monkeypatch.setattr(persons, "test", lambda task: scores[task["case"]])
    rows = run("persons --samples 2 6 --rounds 1")["persons"]
    assert [row["case"] for row in rows] == ["computed", "skipped", "grouped"]
    assert all(row["exact"] and positive(row["total_ms"]) for row in rows)
    assert rows[0]["difference"] == 0


def test_data(run):
    rows = run("data --samples 3 --rounds 1")["data"]
    cases = {(row["config"], row["pipeline"], row["transforms"]) for row in rows}
    assert len(cases) == len(rows) == 8
    for row in rows:
        clips = 10 if row["pipeline"] == "test" else 1
        assert row["clips_per_s"] == pytest.approx(clips * row["samples_per_s"])
        assert row["workers"] * row["clips_per_s"] == pytest.approx(2000)


def test_stream(run):
    rows = run(f"stream {TINY} --rounds 1")["stream"]
    assert [row["persons"] for row in rows] == [1, 2]
    assert all(row["label_ms"] > row["store_ms"] > 0 for row in rows)


def test_million(run, monkeypatch):
    monkeypatch.setattr(million, "FEW", 40)
    monkeypatch.setattr(million, "WARM_UP", 1)
    build = million.build_loader
    # Loader workers and commands are processes.
    monkeypatch.setattr(
        million, "build_loader", lambda task: build({**task, "num_workers": 0})
    )
    checked = []

    def check(file):
        checked.append(load_store(file))
        status = msg3d_command("check", file)
        return {"check_s": 1.0, "check_mib": 1.0, "status": status}

    monkeypatch.setattr(million, "check", check)
    options = "--ranks 1 --base-channels 6 --batch-size 2 --batches 2 --rounds 1"
    options += " --latency-ms 1"
    tables = run(f"million --samples 60 {options}")
    few, many = checked
    assert few.splits == {"train": 36, "val": 4}
    assert many.splits == {"train": 54, "val": 6}
    for number in (0, 39):
        np.testing.assert_equal(few[number], many[number])
    lengths = many.index["frames"]
    assert 16 <= lengths.min() < lengths.max() <= 32
    assert [row["clips"] for row in tables["write and check"]] == [40, 60]
    rows = {(row["work"], row["clips"]): row for row in tables["load and train"]}
    assert set(rows) == {(work, n) for work in ("load", "train") for n in (40, 60)}
    for row in rows.values():
        assert all(positive(row[key]) for key in ("first_batch_s", "samples_per_s"))
        assert row["main_last_mib"] > 100
        assert row["worker_last_mib"] == 0
        assert row["samples_per_s"] < 1000 / 2  # Each sample is read with two delays.
    ratios = {row["work"]: row for row in tables["many clips in relation to few"]}
    assert set(ratios) == {"load", "train"}
    for row in ratios.values():
        assert 0 < row["q1"] <= row["ratio"] <= row["q3"]


def test_parse(run, tmp_path):
    rows = run("parse --files 1 --rounds 1")["parse"]
    assert [row["reader"] for row in rows] == ["plain", "ours"]
    (tmp_path / "a.skeleton").write_bytes(plain_ntu.skeleton_text(3, 2, seed=0))
    (row, _) = run(f"parse --raw {tmp_path} --rounds 1")["parse"]
    assert row["files"] == 1
    assert positive(row["files_per_s"])


def test_scaling_model(run):
    rows = run("scaling-model --gpus 1 8 --network 200")["scaling model"]
    assert [row["global_batch"] for row in rows] == [16, 128]
