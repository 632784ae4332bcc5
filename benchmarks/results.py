"""Results of benchmarks as JSON and Markdown tables."""

import datetime
import importlib.metadata
import json
import os
import platform
import shlex
import subprocess
import time
from argparse import Namespace
from pathlib import Path

import torch

import msg3d
from msg3d.io.atomic import whole_file

from . import REPOSITORY


class Results:
    """Tables of a benchmark.

    Args:
        options: parsed options.
        argv: unparsed options.
        about: description of the columns, printed above the tables.

    Attributes:
        data: content of the JSON file.
        passed: whether all checks of the benchmark passed.
    """

    def __init__(self, options: Namespace, argv: list[str], about: str) -> None:
        self.output, self.about, self.passed = options.output, about, True
        self._start, self._tables = time.time(), {}
        self._others = seconds_of_others()
        torch.set_num_threads(getattr(options, "threads", 1))
        command = shlex.join(["python", "-m", "benchmarks", *argv])
        machine = describe(getattr(options, "device", "cpu"))
        values = {name: str(value) for name, value in vars(options).items()}
        self.data = {"command": command, "options": values, "machine": machine}
        self.save()

    def table(self, name: str, rows: list[dict]) -> None:
        """Add or replace a table, and save the files."""
        self._tables[name] = self.data[name] = rows
        self.save()

    def text(self) -> str:
        """Return all tables as Markdown."""
        facts = ", ".join(f"{k} {v}" for k, v in self.data["machine"].items())
        parts = [f"    {self.data['command']}", self.about.strip(), facts]
        for name, rows in self._tables.items():
            parts += [f"## {name.capitalize()}", table(rows)] if rows else []
        return "\n\n".join(parts) + "\n"

    def save(self) -> None:
        """Write the JSON and Markdown files atomically."""
        seconds = time.time() - self._start
        self.data["seconds"] = round(seconds, 1)
        others = (seconds_of_others() - self._others) / seconds
        self.data["machine"]["other_load"] = round(max(others, 0), 2)
        with whole_file(str(self.output), "x") as file:
            json.dump(self.data, file, indent=1)
        with whole_file(str(self.output.with_suffix(".md")), "x") as file:
            file.write(self.text())

    def print(self) -> None:
        """Save the files and print the tables."""
        self.save()
        print(f"\n{self.text()}\nWrote {self.output} and {self.output.stem}.md")


def table(rows: list[dict]) -> str:
    """Return a Markdown table with a column per key. Lists and dicts are omitted."""
    scalars = (str, bool, int, float)
    keys = dict.fromkeys(
        key for row in rows for key, value in row.items() if isinstance(value, scalars)
    )
    cells = [[_cell(row.get(key)) for key in keys] for row in rows]
    is_number = [
        any(cell[:1].isdigit() for cell in column)
        for column in zip(*cells, strict=True)
    ]
    heading = [key.replace("_", " ") for key in keys]
    rule = ["---:" if right_aligned else "---" for right_aligned in is_number]
    lines = [f"| {' | '.join(line)} |" for line in (heading, rule, *cells)]
    return "\n".join(lines)


def _cell(value) -> str:
    if isinstance(value, bool):
        return "yes" if value else "NO"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    if isinstance(value, int):
        return f"{value:,}"
    return "" if value is None else str(value)


def seconds_of_others() -> float:
    """Return the processor seconds of all other processes since boot, on Linux.

    Those of a child process of this process are excluded after it has ended. Divided by
    the elapsed time, the increase is the mean number of cores that others used. Unlike
    the load average, it excludes the benchmark itself.
    """
    path = Path("/proc/stat")
    if not path.exists():
        return 0.0
    line = path.read_text(encoding="utf-8").splitlines()[0]
    # In ticks: user, nice, system, idle, iowait, irq, softirq, steal
    ticks = [int(field) for field in line.split()[1:9]]
    busy = sum(ticks) - sum(ticks[3:5])
    return busy / os.sysconf("SC_CLK_TCK") - sum(os.times()[:4])


def describe(device: str) -> dict:
    """Return processor, cores, threads, GPU, versions, commit, and date."""
    cpu = platform.processor() or platform.machine()
    information = Path("/proc/cpuinfo")
    if information.exists():
        lines = information.read_text(encoding="utf-8").splitlines()
        names = [line.partition(": ")[2] for line in lines if "model name" in line]
        cpu = [*names, cpu][0]
    git = ["git", "describe", "--always", "--abbrev=12", "--dirty", "--exclude=*"]
    try:
        process = subprocess.run(git, cwd=REPOSITORY, capture_output=True, text=True)
        commit = process.stdout.strip()
    except OSError:
        commit = ""
    facts = {
        "cpu": cpu,
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "cores": len(os.sched_getaffinity(0)),
        "threads": torch.get_num_threads(),
        "load": round(os.getloadavg()[0], 2),
        "gpu": torch.cuda.get_device_name() if device == "cuda" else "",
        "python": platform.python_version(),
        "torch": torch.__version__,
        "msg3d": msg3d.__version__,
        "commit": commit,
        "date": datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
    }
    for name in ("numpy", "mmengine", "mmaction2"):
        facts[name] = importlib.metadata.version(name)
    return {name: value for name, value in facts.items() if value != ""}
