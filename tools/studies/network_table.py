"""The tables of the study of networks."""

from statistics import mean
from typing import Dict, List

from tabulate import tabulate

from .network_configs import DATA_SETS, NETWORKS
from .spread import spread

COLUMNS = ("joint", "bone", "joint+bone", "joint-motion", "bone-motion", "four streams")
FOLDS = "sbu-fold"


def report(results: List[Dict]) -> str:
    """A Markdown table a data set: top-1 of each stream and fused, mean ± std.

    Args:
        results: of `networks.run` and `networks.derived`, in any order.
    """
    tables = []
    results = results + folds(results)
    for name, splits in groups().items():
        of_set = [r for r in results if r["setting"].startswith(name + "/")]
        title = DATA_SETS[splits[0]].title
        if name == FOLDS:
            title = "SBU, mean of the five folds"
        if of_set:
            passes = next(r["passes"] for r in of_set if "passes" in r)
            tables.append(f"**{title}**, {passes} passes\n\n{_table(of_set)}")
            if any("unseen" in r for r in of_set):
                tables.append(
                    "The same runs on the test samples that are not in the training "
                    f"set:\n\n{_table(of_set, 'unseen')}"
                )
    return "\n\n".join(tables)


def groups() -> Dict[str, List[str]]:
    """Data sets that are shown together, by what their settings begin with."""
    found: Dict[str, List[str]] = {}
    for name in DATA_SETS:
        found.setdefault(FOLDS if name.startswith(FOLDS) else name, []).append(name)
    return found


def folds(results: List[Dict]) -> List[Dict]:
    """The mean over the folds of each network, stream and seed that has all five."""
    found: Dict = {}
    for result in results:
        data_set, network, stream = result["setting"].split("/")
        if data_set.startswith(FOLDS):
            key = (f"{FOLDS}/{network}/{stream}", result["seed"])
            found.setdefault(key, []).append(result)
    return [
        dict(
            several[0],
            setting=setting,
            top1=mean(one["top1"] for one in several),
            train_seconds=sum(one.get("train_seconds", 0) for one in several),
        )
        for (setting, _), several in found.items()
        if len(several) == 5
    ]


def _table(results: List[Dict], key: str = "top1") -> str:
    rows, used = [], set()
    for network, form in NETWORKS.items():
        cells, runs = {}, []
        for column in COLUMNS:
            ours = [
                r
                for r in results
                if r["setting"].split("/")[1:] == [network, column] and key in r
            ]
            if ours:
                cells[column] = spread([r[key] for r in ours])
                runs += [r for r in ours if "parameters" in r]
                used.add(column)
        if runs:
            seeds = sorted({r["seed"] for r in runs})
            rows.append((form.title, runs, len(seeds), cells))
    used = [column for column in COLUMNS if column in used]
    lines = [
        (
            title,
            f"{runs[0]['parameters'] / 1e6:.2f}",
            f"{runs[0]['flops'] / 2e6:.0f}",
            *(cells.get(column, "") for column in used),
            seeds,
            round(mean(r["train_seconds"] for r in runs)),
        )
        for title, runs, seeds, cells in rows
    ]
    headers = ("network", "M parameters", "MMAC a clip", *used, "seeds", "s a training")
    return tabulate(lines, headers, "github", disable_numparse=True)
