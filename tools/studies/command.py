"""The command line of all studies."""

import argparse
import fnmatch
import sys
from pathlib import Path

from benchmarks.interrupts import ended_in_a_line

from . import networks, styles
from .network_budgets import BUDGETS
from .runs import Runs, RunsInUse

STUDIES = {"networks": networks, **BUDGETS, "styles": styles}


def main(about: str) -> int:
    """Parses, runs what is left to run, prints the table.

    Returns:
        0, or 1 if a setting is unknown, another command works in the folder, or a
        run failed.

    Raises:
        SystemExit: 130 after Ctrl-C and 143 after SIGTERM.
    """
    args = _parser(about).parse_args()
    study = STUDIES[args.study]
    names = [
        name
        for name in study.settings()
        if any(fnmatch.fnmatchcase(name, pattern) for pattern in args.settings)
    ]
    if not names:
        print(
            f"study.py: no setting of {args.study} is called "
            f"{' or '.join(args.settings)}: expected some of "
            f"{', '.join(study.settings())}",
            file=sys.stderr,
        )
        return 1
    work_dir = args.work_dir or Path("work_dirs", args.study)
    work_dir.mkdir(parents=True, exist_ok=True)
    runs, failed = Runs(study, work_dir), 0
    if not args.table:
        try:
            with ended_in_a_line("study.py", "the same command goes on from here"):
                failed = runs.make(names, args.seeds, args.data, args.jobs)
        except RunsInUse as error:
            print(f"study.py: {error}", file=sys.stderr)
            return 1
    # A fused stream is shown with the streams it is made of.
    shown = set(names) | {r["setting"] for r in runs.results} - set(study.settings())
    results = [r for r in runs.results if r["setting"] in shown]
    print(study.report(results))
    if args.pictures and hasattr(study, "pictures"):
        args.pictures.mkdir(parents=True, exist_ok=True)
        study.pictures(results, args.data, work_dir, args.pictures)
    return int(failed > 0)


def _parser(about: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=about, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("study", choices=STUDIES)
    parser.add_argument(
        "--data",
        default=Path("data/skeleton"),
        type=Path,
        help="folder of the annotation files (default: %(default)s)",
    )
    parser.add_argument(
        "--work-dir", type=Path, help="default: work_dirs/ and the study's name"
    )
    parser.add_argument("--seeds", default=5, type=int, help="0, 1, ... a setting")
    parser.add_argument(
        "--settings", nargs="+", default=["*"], help="names or patterns, * and ?"
    )
    parser.add_argument(
        "--jobs",
        default=1,
        type=int,
        help="runs at once, each with its share of the cores",
    )
    parser.add_argument("--table", action="store_true", help="run nothing, show all")
    parser.add_argument(
        "--pictures",
        type=Path,
        metavar="DIR",
        help="draw what the study draws of its best setting",
    )
    return parser
