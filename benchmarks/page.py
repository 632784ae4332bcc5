"""Performance tables of docs/performance.md, generated from results of benchmarks.

    python -m studies.page --write                         # updates the page
    python -m studies.page --write --performance FOLDER    # also replaces the results

The results are the JSON files of `speed`, `memory`, `parts`, and `dropout` in
docs/results/performance/, of one run or several runs of each command. Numbers are medians
over the runs, followed by the smallest and the largest value of a run.
"""

import json
import shutil
from pathlib import Path
from statistics import median

from . import REPOSITORY
from .chart import NAMES
from .dropout import NONE
from .networks import OURS, single_clips
from .parts import STEP
from .results import table
from .speed import GEMM

RESULTS = REPOSITORY / "docs" / "results" / "performance"
# Facts about the machine that must not differ between runs of a command.
SAME = ("cpu", "instructions", "cores", "threads", "gpu", "torch", "commit")
TITLES = {
    "infer": "Inference",
    "absent": "Inference, one person in each clip",
    "mix": "Inference, one person in {single} of {batch} clips",
    "train": "Training step",
}


def load(folder: Path) -> dict[str, dict]:
    """Return name -> contents of all results in a folder.

    Raises:
        ValueError: there are no results, or those of a command differ in machine, commit,
            or options.
    """
    files = sorted(folder.glob("*.json"))
    runs = {file.name: json.loads(file.read_text(encoding="utf-8")) for file in files}
    if not runs:
        raise ValueError(f"{folder}: contains no .json files. Run `make performance`")
    first: dict[str, tuple[str, dict]] = {}  # command -> file, facts
    for name, run in runs.items():
        facts = {fact: run["machine"].get(fact) for fact in SAME} | run["options"]
        facts.pop("output")
        first_name, expected = first.setdefault(
            run["options"]["command"], (name, facts)
        )
        for fact, value in facts.items():
            if value != expected.get(fact):
                raise ValueError(
                    f"{folder / name}: {fact} is {value}, but it is {expected.get(fact)} "
                    f"in {first_name}. Remove results of other machines, commits, and "
                    "options"
                )
    return runs


def run_table(runs: dict[str, dict]) -> str:
    """Return a row per file with the machine, its load, and its rate of products."""
    rows = []
    for name, run in runs.items():
        machine = run["machine"]
        rates = [
            row["gflop_per_s"]
            for row in run.get("speed", [])
            if row.get("network") == GEMM and "gflop_per_s" in row
        ]
        row = {"results": f"[{name}](results/{RESULTS.name}/{name})"}
        row["date"] = machine["date"][:16].replace("T", " ")
        row["commit"] = machine["commit"]
        row["machine"] = machine.get("gpu") or (
            f"{machine['cpu']} ({machine['instructions']}), {machine['cores']} cores"
        )
        row["threads"], row["load at the start"] = machine["threads"], machine["load"]
        row["cores used by others"] = machine.get("other_load")
        row["PyTorch"] = machine["torch"]
        if rates:
            row["GEMM, GFLOP/s"] = f"{min(rates):.0f} to {max(rates):.0f}"
        rows.append(row)
    return table(rows)


def speed_tables(runs: dict[str, dict]) -> str:
    """Return a table per part, layout, data type, batch size, and mode."""
    parts = []
    keys = ("layout", "dtype", "batch", "mode", "part")
    for case, networks in _grouped(runs, "speed", keys).items():
        layout, dtype, batch, mode, part = case
        title = TITLES[part].format(single=single_clips(batch), batch=batch)
        title = f"**{title}**: `{layout}`, {dtype}, batch size {batch}, {mode}"
        networks.pop(GEMM, None)
        rows = []
        for name, measured in networks.items():
            row = {"network": _label(name)}
            row["median, ms"] = _spread(measured, "median_ms", ",.0f") or "fails"
            row["speedup"] = _spread(measured, "times_plain", ".2f")
            row["% of GEMM rate"] = _spread(measured, "gemm_share", ".0f", 100)
            row["clips/s"] = _median(measured, "clips_per_s", ".2f")
            row["GMAC per clip"] = _median(measured, "gmac", ".2f")
            row["parameters, M"] = _median(measured, "mparams", ".2f")
            rows.append(row)
        parts.append(f"{title}\n\n{table(rows)}")
    return "\n\n".join(parts)


def memory_tables(runs: dict[str, dict]) -> str:
    """Return a table per layout, data type, and batch size."""
    parts = []
    for case, networks in _grouped(
        runs, "memory", ("layout", "dtype", "batch")
    ).items():
        rows = []
        for name, measured in networks.items():
            row = {"network": _label(name)}
            row["peak, MiB"] = _spread(measured, "peak_mib", ",.0f") or "fails"
            row["ratio"] = _spread(measured, "of_plain", ".2f")
            rows.append(row)
        title = "**Peak memory of a training step**: `{}`, {}, batch size {}"
        parts.append(f"{title.format(*case)}\n\n{table(rows)}")
    return "\n\n".join(parts)


def part_tables(runs: dict[str, dict]) -> str:
    """Return a table per layout."""
    tables = []
    for (layout,), parts in _grouped(runs, "parts", ("layout",), "part").items():
        rows = []
        parts.pop(GEMM)
        for name, measured in parts.items():
            row = {"part": f"**{name}**" if name == STEP else name}
            row["median, ms"] = _spread(measured, "median_ms", ",.0f")
            row["% of the step"] = _median(measured, "share", ".1f", 100)
            row["GFLOP"] = _median(measured, "gflop", ".0f")
            row["% of GEMM rate"] = _spread(measured, "gemm_share", ".0f", 100)
            row["limit, ms"] = _median(measured, "limit_ms", ",.0f")
            rows.append(row)
        tables.append(f"**Training step**: `{layout}`\n\n{table(rows)}")
    return "\n\n".join(tables)


def dropout_table(runs: dict[str, dict]) -> str:
    """Return a row per position, with ratios for each width."""
    rows: dict = {}
    for (width,), positions in _grouped(
        runs, "dropout", ("channels",), "position"
    ).items():
        for name, measured in positions.items():
            label = name if name == NONE else f"`{name}`"
            row = rows.setdefault(name, {"position": label})
            cell = _spread(measured, "ratio", ".2f")
            if name == NONE:
                milliseconds = _spread(measured, "median_ms", ",.0f")
                share = _spread(measured, "gemm_share", ".0f", 100)
                cell = f"{milliseconds} ms, {share} % of GEMM rate"
            row[f"{width} channels"] = cell
    return table(list(rows.values())) if rows else ""


TABLES = {
    "runs": run_table,
    "speed": speed_tables,
    "memory": memory_tables,
    "parts": part_tables,
    "dropout": dropout_table,
}


def _grouped(
    runs: dict[str, dict], name: str, keys: tuple, of: str = "network"
) -> dict:
    """Return case -> network -> rows of all runs. Cases that were skipped are omitted.

    Args:
        runs: name -> contents of each file.
        name: name of the table.
        keys: columns that identify a case.
        of: column to use instead of the network.
    """
    cases: dict = {}
    for run in runs.values():
        for row in run.get(name, []):
            if all(key in row for key in (of, *keys)):
                case = cases.setdefault(tuple(row[key] for key in keys), {})
                case.setdefault(row[of], []).append(row)
    return cases


def _label(network: str) -> str:
    name = NAMES.get(network, network)
    return f"**{name}**" if network == OURS else name


def _values(rows: list[dict], key: str, factor: float = 1) -> list[float]:
    return [factor * row[key] for row in rows if row.get(key) is not None]


def _median(rows: list[dict], key: str, form: str, factor: float = 1) -> str | None:
    values = _values(rows, key, factor)
    return format(median(values), form) if values else None


def _spread(rows: list[dict], key: str, form: str, factor: float = 1) -> str | None:
    """Format the median and, if they differ, the smallest and largest value."""
    values = _values(rows, key, factor)
    if not values:
        return None
    middle, low, high = (format(of(values), form) for of in (median, min, max))
    return f"{middle} ({low} to {high})" if low != high else middle


def replace(folder: Path) -> None:
    """Replace the results of the page by those of a folder.

    Raises:
        ValueError: see `load`.
    """
    load(folder)
    for file in RESULTS.glob("*.json"):
        file.unlink()
    for file in folder.glob("*.json"):
        shutil.copy(file, RESULTS)
