"""Peak memory of one training step, each network in a process of its own.

On a GPU: torch's greatest allocation above what lay there before. On the CPU: growth
of the process's greatest resident size.
"""

import json
import sys
from itertools import product
from pathlib import Path

from .networks import PLAIN, names
from .precision import lacks
from .processes import last_error
from .processes import run as run_process
from .progress import progress
from .results import Results, table


def run(options, results: Results) -> None:
    """Layouts, formats, batches; `results.data["memory"]`."""
    rows = results.data["memory"] = []
    cases = product(options.layouts, options.dtypes, options.batch)
    try:
        for layout, dtype, batch in cases:
            case = dict(layout=layout, dtype=dtype, batch=batch)
            reason = lacks(dtype, options.device)
            if reason:
                rows.append({**case, "error": reason})
                continue
            plain = None
            for name in names(options):
                progress(f"memory: {layout} {dtype} batch {batch} {name}")
                row = {**case, "network": name, **_measure(name, case, options)}
                rows.append(row)
                if name == PLAIN:
                    plain = row.get("bytes")
                elif plain and row.get("bytes"):
                    row["ratio"] = row["bytes"] / plain
                results.save()
    finally:
        if rows:
            results.show("Memory", _text(rows))


def _measure(name: str, case: dict, options) -> dict:
    """`memory_step` as a process: its bytes or its error."""
    wanted = dict(
        name=name,
        **case,
        **{
            key: getattr(options, key)
            for key in ("device", "threads", "frames", "persons", "base_channels")
        },
        against=options.against,
    )
    command = [sys.executable, "-m", "benchmarks.memory_step", json.dumps(wanted)]
    done = run_process(command, options, search=Path(__file__).resolve().parents[1])
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode or not lines:
        return dict(error=last_error(done))
    return json.loads(lines[-1])


def _text(rows: list) -> str:
    columns = {
        "layout": lambda row: row["layout"],
        "dtype": lambda row: row["dtype"],
        "batch": lambda row: row["batch"],
        "network": lambda row: row["network"],
        "peak MiB": lambda row: f"{row['bytes'] / 2**20:,.1f}",
        "of plain": lambda row: f"{row['ratio']:.2f}",
        "error": lambda row: row["error"],
    }
    return (
        f"{table(rows, columns)}\n\nPeak of one training step above what network and "
        "input take (on the CPU of the resident size, on a GPU of torch's "
        "allocations), each in a fresh process. ST-GCN and AAGCN are of their own size."
    )
