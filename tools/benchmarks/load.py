"""What long training and large data hold of a machine: two parts, one command.

`epochs`: does anything grow in a thousand epochs? `ranks`: 100,000 samples behind two
processes. Each with an annotation file (pickle) and with a packed store.
"""

import argparse
import sys
import warnings
from pathlib import Path

warnings.filterwarnings("ignore", category=UserWarning)

from .interrupts import ended_in_a_line  # noqa: E402
from .options import FORMS, whole_number  # noqa: E402

NAME = "benchmark_load.py"
PARTS = ("epochs", "ranks")


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog=NAME,
        description="Watch what loaders, hooks and logs hold of the machine.",
        epilog="Needs Linux. Part `ranks` needs disk for pickle and store (5 GiB at "
        "100,000 samples) and memory for six times the pickle; data and checkpoints "
        "are taken away at the end. Exit status 1: something grew, or a sample was "
        "left out or read twice.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = made.add_argument
    add(
        "--parts", nargs="+", choices=PARTS, default=list(PARTS), help="what to measure"
    )
    add("--forms", nargs="+", choices=FORMS, default=list(FORMS), help="of the data")
    add("--epochs", type=whole_number, default=1000, help="of part `epochs`")
    add("--tiny", type=whole_number, default=32, help="samples of part `epochs`")
    add("--batch", type=whole_number, default=4, help="of part `epochs`")
    add(
        "--workers",
        type=whole_number,
        default=8,
        help="of each loader of part `epochs`",
    )
    add("--samples", type=whole_number, default=100_000, help="of part `ranks`")
    add("--ranks", type=whole_number, default=2, help="processes of part `ranks`")
    add("--rank-workers", type=whole_number, default=4, help="of each of them")
    add("--threads", type=whole_number, default=1, help="of torch, in each process")
    add("--folder", default=None, help="where to put the data (default: the system's)")
    out = Path("work_dirs/benchmark/load.json")
    add("--out", type=Path, default=out, help="the json; the tables lie beside as .md")
    return made


def main(argv: list[str] | None = None) -> int:
    """The exit code: 0, 1 if something grew or was missed, 2 if it cannot run.

    Raises:
        SystemExit: 130 after Ctrl-C, 143 after SIGTERM; what was measured is kept.
    """
    argv = sys.argv[1:] if argv is None else argv
    options = parser().parse_args(argv)
    options.device = "cpu"
    reason = _reason(options)
    if reason:
        print(f"{NAME}: {reason}", file=sys.stderr)
        return 2

    with ended_in_a_line(NAME):
        return _measure(options, argv)


def _measure(options: argparse.Namespace, argv: list[str]) -> int:
    from . import load_epochs, load_ranks
    from .machine import describe
    from .results import Results

    machine = describe("cpu")
    results = Results(options.out, argv, vars(options), machine, tool=NAME)
    results.save()
    try:
        if "epochs" in options.parts:
            load_epochs.run(options, results)
        if "ranks" in options.parts:
            load_ranks.run(options, results)
    except RuntimeError as error:
        print(f"{NAME}: {error}", file=sys.stderr)
        return 2
    finally:
        results.save()
    return 0 if results.exact else 1


def _reason(options: argparse.Namespace) -> str | None:
    """Why these options cannot be measured."""
    if options.out.suffix != ".json":
        return f"--out {options.out}: give a name that ends in .json"
    if options.epochs < 10:
        return f"--epochs {options.epochs}: give at least 10, to see what grows"
    return None
