"""Train the settings of a study once per seed, and print means and standard deviations.

    python -m studies networks --data data/skeleton --seeds 5 --jobs 2
    python -m studies styles --settings 'xyz*' 'scores-*' --table

You can interrupt the command at any time and run it again. Finished runs, which are in
results.json of the work folder, are not repeated. An interrupted run resumes from its
checkpoint. Tests always use the weights of the last epoch.
"""

import argparse
import fnmatch
import sys
from pathlib import Path

from benchmarks.processes import exit_on_signal

from . import (
    dropout,
    few_shot,
    fine_tuning,
    frame_rate,
    networks,
    precision,
    recipe,
    robustness,
    styles,
)
from .runs import Runs, RunsInUse

STUDIES = {
    "networks": networks,
    **networks.BUDGETS,
    "styles": styles,
    "dropout": dropout,
    "precision": precision,
    "recipe": recipe,
    "frame-rate": frame_rate,
    "fine-tuning": fine_tuning,
    "few-shot": few_shot,
    "robustness": robustness,
}


def main(argv: list[str] | None = None) -> int:
    """Parse the options, execute the missing runs, and print the table.

    Returns:
        0, or 1 if a setting is unknown, another command uses the work folder, or a run
        failed.

    Raises:
        SystemExit: 130 after Ctrl-C and 143 after SIGTERM.
    """
    args = _parser().parse_args(argv)
    study = STUDIES[args.study]
    names = [
        name
        for name in study.settings()
        if any(fnmatch.fnmatchcase(name, pattern) for pattern in args.settings)
    ]
    if not names:
        print(
            f"studies: {args.study} has no setting {' or '.join(args.settings)}. Its "
            f"settings are {', '.join(study.settings())}",
            file=sys.stderr,
        )
        return 1
    work_dir = args.work_dir or Path("work_dirs", args.study)
    work_dir.mkdir(parents=True, exist_ok=True)
    runs, failed = Runs(study, work_dir), 0
    if not args.table:
        try:
            with exit_on_signal("studies", "run the same command to resume"):
                failed = runs.run_missing(names, args.seeds, args.data, args.jobs)
        except RunsInUse as error:
            print(f"studies: {error}", file=sys.stderr)
            return 1
    # Fused streams are results, but not settings.
    fused = {result["setting"] for result in runs.results} - set(study.settings())
    results = [r for r in runs.results if r["setting"] in fused.union(names)]
    print(study.report(results))
    if args.pictures and hasattr(study, "pictures"):
        args.pictures.mkdir(parents=True, exist_ok=True)
        study.pictures(results, args.data, work_dir, args.pictures)
    return int(failed > 0)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m studies",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("study", choices=STUDIES)
    add(
        "--data",
        default=Path("data/skeleton"),
        type=Path,
        help="folder of the annotation files (default: %(default)s)",
    )
    add("--work-dir", type=Path, help="work folder (default: work_dirs/STUDY)")
    add("--seeds", default=5, type=int, help="number of seeds per setting (default: 5)")
    add("--settings", nargs="+", default=["*"], help="names or patterns with * and ?")
    add("--jobs", default=1, type=int, help="number of parallel runs")
    add("--table", action="store_true", help="only print the table")
    add(
        "--pictures",
        type=Path,
        metavar="DIR",
        help="write pictures of the best settings, if the study supports it",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
