"""Part `epochs` of `load`: what a training holds early on, and what at its end."""

import argparse
import json
import sys
import tempfile
from pathlib import Path

import numpy as np

from msg3d.datasets import StoreWriter, save_annotations

from .ntu_like import ntu_like
from .options import FORMS
from .processes import last_error
from .processes import run as run_process
from .progress import progress
from .results import Results, table

READINGS = 100  # of a training
WARM_UP = 0.1  # of the epochs, while workers come to share less with their parent
# Memory may grow by this part from first to last quarter, numbers by nothing.
ALLOWED = 0.02
MEMORY = {
    "main_rss": "main process, RSS, MiB",
    "anonymous": "anonymous, all processes, MiB",
}
NUMBERS = {
    "main_files": "open files, main process",
    "workers_files": "open files, all workers",
    "threads": "threads",
    "processes": "processes",
    "shared_files": "files in /dev/shm",
}


def run(options: argparse.Namespace, results: Results) -> None:
    """Every form in turn; `results.data["epochs"]`."""
    rows = results.data["epochs"] = []
    for form in options.forms:
        progress(f"{options.epochs} epochs, {options.workers} workers, {form}")
        row = dict(form=form, **_train(form, options))
        row["quantities"] = compare(row["readings"])
        row["flat"] = all(one["flat"] for one in row["quantities"])
        results.exact &= row["flat"]
        rows.append(row)
        results.show("Epochs", _text(rows, options))


def _train(form: str, options: argparse.Namespace) -> dict:
    """`load_run` as a process.

    Raises:
        RuntimeError: it failed; with its last exception.
    """
    kind, ending = FORMS[form]
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        path = Path(folder) / f"tiny{ending}"
        data = ntu_like(options.tiny, 25)
        if form == "store":
            with StoreWriter(path) as writer:
                for entry in data["annotations"]:
                    writer.add(entry)
                writer.splits = data["split"]
        else:
            save_annotations(data, path)
        wanted = dict(
            type=kind,
            ann_file=str(path),
            epochs=options.epochs,
            batch=options.batch,
            workers=options.workers,
            every=max(options.epochs // READINGS, 1),
            work_dir=folder,
        )
        command = [sys.executable, "-m", "benchmarks.load_run", json.dumps(wanted)]
        done = run_process(command, options, search=Path(__file__).resolve().parents[1])
    if done.returncode:
        raise RuntimeError(f"the training failed: {last_error(done)}")
    return json.loads(done.stdout.splitlines()[-1])


def compare(readings: list[dict]) -> list[dict]:
    """First and last quarter of what comes after the warm-up.

    Args:
        readings: of `load_run.Watch`, at least ten.

    Returns:
        For each quantity `name`, the medians `first` and `last`, `growth` per 100
        epochs (the median of the slopes between any two readings, after Theil and
        Sen: a short-lived peak does not move it), and whether it is `flat`.
    """
    epochs = np.array([one["epoch"] for one in readings], float)
    kept = epochs > WARM_UP * epochs[-1]
    epochs, quarter = epochs[kept], max(kept.sum() // 4, 1)
    before, after = np.triu_indices(len(epochs), 1)
    rows = []
    for name in [*MEMORY, *NUMBERS]:
        values = np.array([one[name] for one in readings], float)[kept]
        slopes = (values[after] - values[before]) / (epochs[after] - epochs[before])
        first, last = np.median(values[:quarter]), np.median(values[-quarter:])
        limit = first * (1 + ALLOWED) if name in MEMORY else first
        rows.append(
            dict(
                name=name,
                first=float(first),
                last=float(last),
                growth=float(100 * np.median(slopes)),
                flat=bool(last <= limit),
            )
        )
    return rows


def _text(rows: list[dict], options: argparse.Namespace) -> str:
    lines = []
    for row in rows:
        for one in row["quantities"]:
            scale = 1024 if one["name"] in MEMORY else 1
            shown = {key: one[key] / scale for key in ("first", "last", "growth")}
            lines.append(dict(form=row["form"], **shown, **_named(one)))
    columns = {
        "data": lambda row: row["form"],
        "": lambda row: row["label"],
        "first quarter": lambda row: f"{row['first']:,.{row['digits']}f}",
        "last quarter": lambda row: f"{row['last']:,.{row['digits']}f}",
        "growth in 100 epochs": lambda row: f"{row['growth']:+.{row['digits'] + 1}f}",
        "verdict": lambda row: row["verdict"],
    }
    return "\n\n".join([table(lines, columns), *(_facts(row, options) for row in rows)])


def _named(one: dict) -> dict:
    return dict(
        label={**MEMORY, **NUMBERS}[one["name"]],
        digits=1 if one["name"] in MEMORY else 0,
        verdict="flat" if one["flat"] else "grows",
    )


def _facts(row: dict, options: argparse.Namespace) -> str:
    first, last = row["readings"][0], row["readings"][-1]
    epochs = max(last["epoch"] - first["epoch"], 1)
    seconds = (last["seconds"] - first["seconds"]) / epochs
    grown = (last["checkpoint"] - first["checkpoint"]) / epochs
    iterations = -(-options.tiny // options.batch)
    return (
        f"{row['form']}: {options.epochs} epochs of {options.tiny} samples, {iterations} "
        f"iterations each, {seconds:.2f} s an epoch with validation and checkpoint; "
        f"{options.workers} persistent workers for training, as many for validation. "
        f"Checkpoint: {last['checkpoint'] / 1e6:.2f} MB at the end, growing by "
        f"{grown / iterations:,.0f} bytes an iteration. Logs: {row['logs'] / 1e6:.2f} MB."
    )
