"""Study: what Laban's Efforts tell of the manner of moving, beside coordinates.

Trains every setting once a seed, on the Bandai-Namco styles, and tests the weights of
the last epoch on actions that were not trained on. What is in results.json of the work
folder is not run again, so that the command can be stopped and goes on where it was:

    python tools/personality/run_study.py --seeds 5
    python tools/personality/run_study.py --settings 'xyz*' 'scores-*' --table
"""

import argparse
import fnmatch
import json
import sys
from pathlib import Path
from statistics import mean, stdev
from typing import Dict, List

from study_runs import run, settings
from style_scores import SCORES
from tabulate import tabulate

from msg3d.datasets.whole_file import whole_file


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--ann-file", default="data/skeleton/bandai_styles.pkl")
    parser.add_argument("--work-dir", default="work_dirs/personality", type=Path)
    parser.add_argument("--seeds", default=5, type=int, help="0, 1, ... a setting")
    parser.add_argument(
        "--settings", nargs="+", default=["*"], help="names or patterns, * and ?"
    )
    parser.add_argument("--table", action="store_true", help="run nothing, show all")
    args = parser.parse_args()
    names = [
        name
        for name in settings()
        if any(fnmatch.fnmatchcase(name, pattern) for pattern in args.settings)
    ]
    if not names:
        print(
            f"{parser.prog}: no setting is called {' or '.join(args.settings)}: "
            f"expected some of {', '.join(settings())}",
            file=sys.stderr,
        )
        return 1
    args.work_dir.mkdir(parents=True, exist_ok=True)
    file = args.work_dir / "results.json"
    results = json.loads(file.read_text()) if file.exists() else []
    done = {(result["setting"], result["seed"]) for result in results}
    # Every setting once before any twice: wherever it stops, the table is even.
    left = [(name, seed) for seed in range(args.seeds) for name in names]
    left = [] if args.table else [one for one in left if one not in done]
    for name, seed in left:
        results.append(run(name, seed, args.ann_file, args.work_dir))
        with whole_file(str(file), "x") as out:
            json.dump(results, out, indent=1)
    print(report([result for result in results if result["setting"] in names]))
    return 0


def report(results: List[Dict]) -> str:
    """Means and standard deviations over the seeds, as Markdown tables.

    Args:
        results: of `study_runs.run`, in any order.
    """
    tables = []
    for keys, titles, factor, digits in (
        (("top1",), ("top-1 %",), 100, 1),
        ((*SCORES, "mean"), (*(f"MSE {key}" for key in SCORES), "mean"), 1, 3),
    ):
        rows = []
        for name in dict.fromkeys(result["setting"] for result in results):
            runs = [r for r in results if r["setting"] == name and keys[0] in r]
            if runs:
                cells = [_spread([factor * r[k] for r in runs], digits) for k in keys]
                rows.append((name, runs[0]["parameters"], *cells, len(runs)))
        if rows:
            headers = ("setting", "parameters", *titles, "seeds")
            tables.append(tabulate(rows, headers, "github", disable_numparse=True))
    return "\n\n".join(tables)


def _spread(values: List[float], digits: int) -> str:
    spread = f" ± {stdev(values):.{digits}f}" if len(values) > 1 else ""
    return f"{mean(values):.{digits}f}{spread}"


if __name__ == "__main__":
    sys.exit(main())
