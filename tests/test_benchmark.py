"""The benchmark at a tiny size: that it measures and reports, not how fast."""

import json
import math
import signal
import subprocess
import sys

import pytest
import torch

from conftest import REPOSITORY
from msg3d.apis.flops import flop_counter

TINY = ["--batch", 2, "--frames", 16, "--base-channels", 12, "--threads", 1]
TINY += ["--repeats", 2, "--layouts", "nturgb+d", "--data-samples", 4]


def benchmark(out, *options, code=0):
    """(standard output, standard error) of the command, given its exit code."""
    command = [sys.executable, "tools/benchmark.py", "--out", out, *options]
    done = subprocess.run(
        [str(part) for part in command],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == code, done.stdout[-4000:] + done.stderr[-4000:]
    return done.stdout, done.stderr


def positive(number):
    return math.isfinite(number) and number > 0


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """The folder, printed text and json of one run of all parts but mim-test."""
    folder = tmp_path_factory.mktemp("benchmark")
    parts = ["exact", "train", "infer", "absent", "factors", "memory", "data"]
    parts += ["stream"]
    out, err = benchmark(
        folder / "tiny.json", *TINY, "--parts", *parts, "--models", "msg3d", "stgcn"
    )
    assert "round 2 of 2" in err
    return folder, out, json.loads((folder / "tiny.json").read_text())


def test_files_tell_how_they_were_made(measured):
    folder, out, data = measured
    tables = (folder / "tiny.md").read_text()
    assert {path.name for path in folder.iterdir()} == {"tiny.json", "tiny.md"}
    for text in (out, tables, data["command"]):
        assert "python tools/benchmark.py --out" in text
    for title in ("Exactness", "Arithmetic", "Speed", "Factors", "Memory", "Data"):
        assert f"## {title}" in tables and f"## {title}" in out
    assert data["options"]["batch"] == [2] and not data["interrupted"]
    machine = data["machine"]
    assert machine["threads"] == 1 and machine["cpu"] and machine["date"]
    assert {"python", "torch", "mmengine", "commit"} <= machine.keys()


def test_exactness(measured):
    rows = measured[2]["exact"]
    assert {row["dtype"] for row in rows} == {"float32", "float64"}
    assert {row["part"] for row in rows} == {"train", "infer", "absent"}
    assert all(row["exact"] for row in rows)
    double = [row for row in rows if row["dtype"] == "float64"]
    assert max(row["error"] for row in double) < 1e-9


def test_factors(measured):
    """Every idea of every part, and no switch left thrown."""
    rows = measured[2]["factors"]
    assert [row["part"] for row in rows] == 4 * ["infer"] + ["absent"] + 2 * ["train"]
    assert all(positive(row["times_plain"]) for row in rows)


def test_factors_switch_back(monkeypatch):
    monkeypatch.syspath_prepend(str(REPOSITORY / "tools"))
    from benchmarks.factors import BY_BATCH, NEVER, UNFOLDED, _switched

    from msg3d.models import by_sample, msg3d

    before = by_sample.MIN_ELEMENTS, msg3d.can_fold
    with _switched((BY_BATCH, UNFOLDED)):
        assert by_sample.MIN_ELEMENTS == NEVER and not msg3d.can_fold(None)
    assert (by_sample.MIN_ELEMENTS, msg3d.can_fold) == before


def test_arithmetic(measured):
    rows = {row["network"]: row for row in measured[2]["flops"]}
    plain, ours = rows["plain"], rows["msg3d"]
    assert plain["parameters"] == ours["parameters"]
    assert positive(ours["flop_per_clip"])
    assert positive(plain["flop_per_clip"] - plain["convolution_flop_per_clip"])


def test_products_added_in_place_are_counted():
    left, right = torch.ones(5, 2, 3), torch.ones(5, 3, 4)
    with flop_counter() as counter:
        torch.zeros(2, 4).addmm_(left[0], right[0])
        torch.zeros(5, 2, 4).baddbmm_(left, right)
        torch.zeros(2, 4).addbmm_(left, right)
        torch.addbmm(torch.zeros(2, 4), left, right)
    assert counter.get_total_flops() == 2 * 2 * 3 * 4 * (1 + 3 * 5)


def test_speed(measured):
    data = measured[2]
    rows = {(row["part"], row["network"]): row for row in data["speed"]}
    for part in ("train", "infer", "absent"):
        for network in ("plain", "msg3d", "stgcn"):
            row = rows[part, network]
            assert len(row["seconds"]) == 2
            assert 0 < row["min"] <= row["median"] <= row["max"]
            assert positive(row["ratio"]) and positive(row["clips_per_second"])
            assert ("gemm_share" in row) == (part != "absent")
        assert positive(rows[part, "gemm"]["flop_per_second"])
        assert rows[part, "plain"]["ratio"] == 1
        assert rows[part, "msg3d"]["difference"] < 1e-3
        assert "difference" not in rows[part, "stgcn"]


def test_memory(measured):
    rows = {row["network"]: row for row in measured[2]["memory"]}
    assert rows.keys() == {"plain", "msg3d", "stgcn"}
    assert all(positive(row["bytes"]) for row in rows.values())
    assert positive(rows["msg3d"]["ratio"])


def test_data(measured):
    rows = {(row["form"], row["phase"]): row for row in measured[2]["data"]}
    assert len(rows) == 4
    for (form, phase), row in rows.items():
        assert row["clips_per_sample"] == (10 if phase == "test" else 1)
        assert positive(row["clips_per_second"]) and row["workers_for_feed"] >= 1
        assert row["steps"][0]["name"] == "read" and len(row["steps"]) > 4
        assert all(positive(step["seconds"]) for step in row["steps"])
    # Only the 3D layout was trained.
    assert rows["3d", "train"]["bottleneck"] in ("loader", "model")
    assert "bottleneck" not in rows["2d", "train"]


def test_mim_test(tmp_path):
    options = ["--parts", "mim-test", "--mim-repeats", 1, "--mim-samples", 1, 2]
    benchmark(tmp_path / "mim.json", *TINY, *options)
    found = json.loads((tmp_path / "mim.json").read_text())["mim_test"]
    assert "error" not in found
    assert found["max_abs_difference"] < 1e-4
    assert [row["samples"] for row in found["rows"]] == [1, 1, 2, 2]
    assert all(positive(row["ratio"]) for row in found["rows"])
    assert found["seconds_per_further_sample"].keys() == {"plain", "msg3d"}


def test_what_fails_is_a_line_of_the_table(tmp_path):
    (tmp_path / "others.py").write_text(
        "from reference import ReferenceMSG3D as Same\n"
        "class Broken(Same):\n"
        "    def forward(self, x):\n"
        "        raise RuntimeError('cannot do\\nthis')\n"
    )
    file = tmp_path / "others.py"
    out, _ = benchmark(
        tmp_path / "others.json",
        *[*TINY, "--parts", "infer", "--models", "msg3d"],
        *["--dtypes", "float32", "tf32", "--modes", "eager", "cudagraphs"],
        *["--against", f"same={file}:Same", "--against", f"broken={file}:Broken"],
    )
    rows = json.loads((tmp_path / "others.json").read_text())["speed"]
    measured = {row["network"]: row for row in rows if "network" in row}
    assert measured["same"]["difference"] == 0 and positive(measured["same"]["ratio"])
    assert measured["broken"]["error"] == "RuntimeError: cannot do"
    skipped = [row for row in rows if "network" not in row]
    assert len(skipped) == 3
    assert all(row["error"].startswith("skipped: ") for row in skipped)
    assert "skipped: tf32 is a GPU's" in out


def test_ctrl_c_keeps_what_was_measured(tmp_path):
    command = [sys.executable, "tools/benchmark.py", "--out", tmp_path / "cut.json"]
    command += [*TINY, "--parts", "infer", "--models", "msg3d", "--repeats", 100000]
    process = subprocess.Popen(
        [str(part) for part in command],
        cwd=REPOSITORY,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        # Where the tests run in the background of a shell, Ctrl-C is ignored, and that
        # is inherited.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    for line in process.stderr:
        if "round 3 of" in line:
            process.send_signal(signal.SIGINT)
            break
    rest = process.stderr.read()
    assert process.wait(timeout=60) == 130, rest
    assert "Traceback" not in rest and "interrupted" in rest
    data = json.loads((tmp_path / "cut.json").read_text())
    assert data["interrupted"]
    rows = {row["network"]: row for row in data["speed"]}
    assert len(rows["plain"]["seconds"]) >= 2 and positive(rows["msg3d"]["ratio"])


@pytest.fixture
def refused(monkeypatch, capsys):
    """The last line that `main` prints before it ends with 2; in this process."""
    monkeypatch.syspath_prepend(REPOSITORY / "tools")
    monkeypatch.chdir(REPOSITORY)
    from benchmarks.command import main

    def last_line(out, *options):
        try:
            code = main([str(part) for part in ("--out", out, *options)])
        except SystemExit as error:  # argparse
            code = error.code
        assert code == 2
        return capsys.readouterr().err.splitlines()[-1]

    return last_line


@pytest.mark.parametrize(
    "options, token",
    [
        (["--layouts", "nosuch"], "--layouts nosuch"),
        (["--parts", "nosuch"], "nosuch"),
        (["--batch", "0"], "--batch"),
        (["--against", "x=nosuch.py:Net"], "nosuch.py"),
        (["--against", "nosuch.py"], "--against nosuch.py"),
        (["--against", "plain=setup.cfg:Net"], "plain=setup.cfg:Net"),
        (["--mim-samples", 9, 1], "--mim-samples 9 1"),
        (["--base-channels", 3], "--base-channels 3"),
    ],
)
def test_bad_options_are_one_sentence(refused, tmp_path, options, token):
    assert token in refused(tmp_path / "never.json", *options)
    assert not list(tmp_path.iterdir())


def test_cuda_without_a_gpu(refused, tmp_path):
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    assert "--device cuda" in refused(tmp_path / "never.json", "--device", "cuda")


def test_out_must_be_json_that_can_be_written(refused, tmp_path):
    assert "table.md" in refused(tmp_path / "table.md")
    (tmp_path / "file").touch()
    assert "file" in refused(tmp_path / "file" / "table.json")
