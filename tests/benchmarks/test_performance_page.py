"""Tables of docs/performance.md summarize several runs."""

import copy
import json

import pytest

from benchmarks import page

MACHINE = {"cpu": "a processor", "instructions": "AVX2", "cores": 2, "threads": 2}
MACHINE |= {"load": 0.1, "other_load": 0.02, "torch": "2.13", "commit": "abc"}
MACHINE |= {"date": "2026-11-30T10:20:30+00:00"}
CASE = {"part": "mix", "layout": "coco", "dtype": "float32", "batch": 8}


def run(median, rate):
    """Return the contents of a file with both tables."""
    case = {**CASE, "mode": "eager"}
    ours = {**case, "network": "msg3d", "median_ms": median, "gemm_share": 0.8}
    ours |= {"times_plain": 3000 / median, "clips_per_s": 8000 / median}
    failed = {**case, "network": "broken", "error": "RuntimeError: no"}
    skipped = {"layout": "coco", "dtype": "tf32", "error": "skipped"}
    gemm = {**case, "network": "gemm", "median_ms": 1, "gflop_per_s": rate}
    memory = {**CASE, "network": "msg3d", "peak_mib": 2 * median, "of_plain": 0.5}
    tables = {"speed": [ours, gemm, failed, skipped], "memory": [memory]}
    tables["options"] = {"command": "speed", "rounds": "3", "output": f"{median}.json"}
    part = {"layout": "coco", "part": "step", "median_ms": median, "share": 1.0}
    part |= {"gflop": 90, "gemm_share": median / 2000, "limit_ms": median / 2}
    tables["parts"] = [part, {**part, "part": "gemm"}]
    none = {"channels": 24, "position": "none", "median_ms": median, "ratio": 1.0}
    tables["dropout"] = [{**none, "gemm_share": 0.5}]
    tables["dropout"].append({**none, "position": "input", "ratio": median / 500})
    return {"machine": MACHINE, **tables}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Results of three runs."""
    for number, measured in enumerate([(900, 150), (1200, 160), (1000, 140)], 1):
        text = json.dumps(run(*measured))
        (tmp_path / f"speed-{number}.json").write_text(text, encoding="utf-8")
    monkeypatch.setattr(page, "RESULTS", tmp_path)
    return tmp_path


def cells(table):
    """Return heading -> cell of the first row of a table."""
    heading, _, row = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in table.splitlines()[:3]
    ]
    return dict(zip(heading, row, strict=True))


def test_numbers_are_medians_with_the_range_of_the_runs(folder):
    runs = page.load(folder)
    title, table = page.speed_tables(runs).split("\n\n")
    assert "6 of 8 clips" in title
    assert cells(table) == {
        "network": "**msg3d**",
        "median, ms": "1,000 (900 to 1,200)",
        "speedup": "3.00 (2.50 to 3.33)",
        "% of GEMM rate": "80",
        "clips/s": "8.00",
    }
    assert "| broken | fails |" in table
    assert len(table.splitlines()) == 4  # neither the GEMM nor the skipped case
    parts = cells(page.part_tables(runs).split("\n\n")[1])
    assert parts == {
        "part": "**step**",
        "median, ms": "1,000 (900 to 1,200)",
        "% of the step": "100.0",
        "GFLOP": "90",
        "% of GEMM rate": "50 (45 to 60)",
        "limit, ms": "500",
    }
    dropout = page.dropout_table(runs)
    assert "| none | 1,000 (900 to 1,200) ms, 50 % of GEMM rate |" in dropout
    assert "| `input` | 2.00 (1.80 to 2.40) |" in dropout
    memory = cells(page.memory_tables(runs).split("\n\n")[1])
    assert memory["peak, MiB"] == "2,000 (1,800 to 2,400)"
    assert memory["ratio"] == "0.50"


def test_machine_of_each_run(folder):
    (folder / "speed-3.json").unlink()
    table = page.run_table(page.load(folder))
    assert len(table.splitlines()) == 4
    row = cells(table)
    assert row["machine"] == "a processor (AVX2), 2 cores"
    assert (row["threads"], row["load at the start"]) == ("2", "0.1")
    assert row["cores used by others"] == "0.02"
    assert row["GEMM, GFLOP/s"] == "150 to 150"


def test_new_results_replace_the_old_ones(folder, tmp_path_factory):
    new = tmp_path_factory.mktemp("new")
    for number, file in enumerate(sorted(folder.glob("*.json"))):
        other = json.loads(file.read_text(encoding="utf-8"))
        other["machine"]["commit"] = "def"
        if number < 2:
            (new / file.name).write_text(json.dumps(other), encoding="utf-8")
    page.replace(new)
    runs = page.load(folder)
    assert list(runs) == ["speed-1.json", "speed-2.json"]
    assert {run["machine"]["commit"] for run in runs.values()} == {"def"}


@pytest.mark.parametrize("mistake", ["no results", "another commit", "other options"])
def test_mistakes(folder, mistake):
    if mistake == "no results":
        for path in folder.glob("*.json"):
            path.unlink()
    else:
        other = copy.deepcopy(run(1000, 150))
        if mistake == "another commit":
            other["machine"]["commit"] = "def"
        else:
            other["options"]["rounds"] = "5"
        (folder / "speed-2.json").write_text(json.dumps(other), encoding="utf-8")
    before = sorted(folder.glob("*.json"))
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        page.replace(folder)
    assert str(folder) in str(caught.value)
    assert sorted(folder.glob("*.json")) == before
