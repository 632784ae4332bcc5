"""Everything measured so far: a json file, and the same as tables.

Both are written after every group of measurements, so that an interruption loses
only the group it lands in.
"""

import json
import shlex
import time
from pathlib import Path

from msg3d.io.atomic import whole_file


class Results:
    """Measured values by part, and the tables that show them.

    Args:
        out: the json file; the tables go beside it as .md.
        argv: the options as they were typed.
        options: as they were understood.
        machine: of `machine.describe`.
        tool: the command's file name.

    Attributes:
        data: what the json file holds; parts add lists of rows to it.
        exact: whether every comparison with the plain form has passed.
    """

    def __init__(
        self,
        out: Path,
        argv: list,
        options: dict,
        machine: dict,
        tool: str = "benchmark.py",
    ) -> None:
        self.out, self.exact, self._start = out, True, time.perf_counter()
        self._tables: dict[str, str] = {}
        out.parent.mkdir(parents=True, exist_ok=True)
        command = shlex.join(["python", f"tools/{tool}", *argv])
        options = {k: str(v) if isinstance(v, Path) else v for k, v in options.items()}
        self.data = dict(command=command, options=options, machine=machine)
        self.data["interrupted"] = False
        facts = [f"{name} {value}" for name, value in machine.items() if value]
        self.header = f"    {command}\n\n{', '.join(facts)}\n"
        print(self.header, flush=True)

    def show(self, title: str, text: str) -> None:
        """Prints a part's tables and keeps them for the file; a later one replaces."""
        self._tables[title] = f"## {title}\n\n{text}\n"
        print(f"\n{self._tables[title]}", flush=True)
        self.save()

    def save(self) -> None:
        """Both files, each whole or not at all."""
        self.data["seconds"] = round(time.perf_counter() - self._start, 1)
        with whole_file(self.out, "x") as file:
            json.dump(self.data, file, indent=1)
            file.write("\n")
        with whole_file(self.out.with_suffix(".md"), "x") as file:
            file.write(
                "\n".join(["# Benchmark\n", self.header, *self._tables.values()])
            )


def table(rows: list[dict], columns: dict) -> str:
    """A Markdown table.

    Args:
        rows: one dictionary a line.
        columns: heading -> function of a row. What gives None or lacks its key is
            left empty, and a column of nothing else left out.
    """
    cells = [[_cell(show, row) for show in columns.values()] for row in rows]
    filled = [column for column in zip(columns, *cells) if any(column[1:])]
    widths = [max(map(len, column)) for column in filled]
    # Figures stand to the right.
    right = [all(cell[:1] in "0123456789" for cell in column[1:]) for column in filled]
    rule = ["-" * (w - 1) + ":" if r else "-" * w for w, r in zip(widths, right)]
    heading, *body = zip(*filled)
    return "\n".join(
        "| "
        + " | ".join(
            cell.rjust(width) if to_right else cell.ljust(width)
            for cell, width, to_right in zip(line, widths, right)
        )
        + " |"
        for line in (heading, rule, *body)
    )


def _cell(show, row: dict) -> str:
    try:
        shown = show(row)
    except (KeyError, TypeError):  # not measured for this row
        return ""
    return "" if shown is None else str(shown)
