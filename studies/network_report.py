"""Tables and confusion matrices of the study of networks."""

from pathlib import Path
from statistics import mean

import numpy as np
from tabulate import tabulate

from msg3d.annotations.files import load_annotations
from msg3d.visualization.confusion import confusion_counts, confusion_figure
from msg3d.visualization.files import save_figure

from .network_configs import DATA_SETS, NETWORKS, OTHERS, SEVERAL, SUBSETS
from .network_scores import scores_of
from .train import clip_interval, spread

COLUMNS = ("joint", "bone", "joint+bone", "joint-motion", "bone-motion", "four streams")
COLUMNS += (SEVERAL,)
FOLDS = "sbu-fold"
ALL = DATA_SETS | SUBSETS


def report(results: list[dict]) -> str:
    """Return Markdown tables per data set: top-1 of streams and fusions, and the cost.

    Accuracies are mean ± standard deviation over seeds, and the 95 % Wilson interval if
    the results contain the number of test samples.

    Args:
        results: of `networks.run` and `networks.derived`, in any order.
    """
    tables = []
    results = results + folds(results)
    for name, splits in groups().items():
        of_set = [r for r in results if r["setting"].startswith(name + "/")]
        title = ALL[splits[0]].title
        if name == FOLDS:
            title = "SBU, mean of the five folds"
        if of_set:
            passes = next(r["passes"] for r in of_set if "passes" in r)
            tables.append(f"**{title}**, {passes} passes\n\n{_accuracies(of_set)}")
            if any("unseen" in r for r in of_set):
                tables.append(
                    "The same runs on the test samples that are not in the training "
                    f"set:\n\n{_accuracies(of_set, 'unseen')}"
                )
            tables.append(f"Cost:\n\n{_costs(of_set)}")
    return "\n\n".join(tables)


def groups() -> dict[str, list[str]]:
    """Return data sets that are shown together, by the start of their settings."""
    grouped: dict[str, list[str]] = {}
    for name in ALL:
        grouped.setdefault(FOLDS if name.startswith(FOLDS) else name, []).append(name)
    return grouped


def folds(results: list[dict]) -> list[dict]:
    """Return the mean over the folds for each network, stream, and seed with all five."""
    grouped: dict = {}
    for result in results:
        data_set, network, stream = result["setting"].split("/")
        if data_set.startswith(FOLDS):
            key = (f"{FOLDS}/{network}/{stream}", result["seed"])
            grouped.setdefault(key, []).append(result)
    return [
        dict(
            several[0],
            setting=setting,
            top1=mean(result["top1"] for result in several),
            samples=sum(result.get("samples", 0) for result in several),
            train_seconds=sum(result.get("train_seconds", 0) for result in several),
        )
        for (setting, _), several in grouped.items()
        if len(several) == 5
    ]


def _accuracies(results: list[dict], key: str = "top1") -> str:
    """A row per network, a column per stream or fusion."""
    cells, used = {}, set()
    for setting, runs in _by_setting(results).items():
        if values := [run[key] for run in runs if key in run]:
            cells[setting] = spread(values)
            if samples := runs[0].get("samples" if key == "top1" else f"{key}_samples"):
                cells[setting] += f" ({clip_interval(values, samples)})"
            used.add(setting[1])
    columns = [column for column in COLUMNS if column in used]
    lines = [
        (form.title, *(cells.get((network, column), "") for column in columns))
        for network, form in (NETWORKS | OTHERS).items()
        if any((network, column) in cells for column in columns)
    ]
    return _markdown(("network", *columns), lines)


def _costs(results: list[dict]) -> str:
    """A row per network: its size, and the number, duration, and calibration of its runs."""
    lines: list[tuple] = []
    for network, form in (NETWORKS | OTHERS).items():
        runs = [
            run
            for (name, _), several in _by_setting(results).items()
            for run in several
            if name == network and "parameters" in run
        ]
        if runs:
            lines.append(
                (
                    form.title,
                    f"{runs[0]['parameters'] / 1e6:.2f}",
                    f"{runs[0]['flops'] / 2e6:.0f}",
                    len({run["seed"] for run in runs}),
                    round(mean(run["train_seconds"] for run in runs)),
                )
            )
            if all("ece" in run for run in runs):
                lines[-1] += (spread([run["ece"] for run in runs]),)
    head = ("network", "M parameters", "MMAC per clip", "seeds", "s per training")
    if any(len(line) > len(head) for line in lines):
        head += ("calibration error, %",)
    return _markdown(head, lines)


def _by_setting(results: list[dict]) -> dict[tuple[str, str], list[dict]]:
    """The results of each (network, column)."""
    grouped: dict = {}
    for result in results:
        _, network, column = result["setting"].split("/")
        grouped.setdefault((network, column), []).append(result)
    return grouped


def _markdown(head: tuple, lines: list[tuple]) -> str:
    return tabulate(lines, head, "github", disable_numparse=True)


def pictures(results: list[dict], data: Path, work_dir: Path, folder: Path) -> None:
    """Write DATA-SET.png for each data set with results.

    The figure shows the confusion matrix and the accuracy per class of the setting with
    the highest mean top-1 over the seeds, including fused streams. It counts the samples
    of all seeds and folds.

    Args:
        results: results of the study.
        data: folder of the annotation files.
        work_dir: folder of the scores of the runs.
        folder: output folder.
    """
    results = results + folds(results)
    for name, splits in groups().items():
        best = best_setting(results, name)
        if best is None:
            continue
        seeds = [r["seed"] for r in results if r["setting"] == best]
        suffix = best[len(name) :]
        counts = sum(
            confusion(work_dir, split + suffix, seed)
            for split in splits
            for seed in seeds
        )
        source = ALL[splits[0]]
        classes = load_annotations(str(data / source.file))["meta"]["classes"]
        title = "SBU, five folds" if name == FOLDS else source.title.replace("`", "")
        _, network, stream = best.split("/")
        plural = "s" * (len(seeds) > 1)
        title += f": {(NETWORKS | OTHERS)[network].title}, {stream}, {len(seeds)} seed{plural}"
        file = folder / f"{'sbu' if name == FOLDS else name}.png"
        save_figure(confusion_figure(counts, classes, title), file, dpi=80)
        print(f"wrote {file}")


def best_setting(results: list[dict], name: str) -> str | None:
    """Return the setting with the highest mean top-1, or None without results."""
    top1: dict[str, list[float]] = {}
    for result in results:
        if result["setting"].startswith(name + "/"):
            top1.setdefault(result["setting"], []).append(result["top1"])
    return max(top1, key=lambda setting: mean(top1[setting]), default=None)


def confusion(work_dir: Path, setting: str, seed: int) -> np.ndarray:
    """Return counts [label, prediction] of one seed."""
    scores = scores_of(work_dir, setting, seed)
    return confusion_counts(scores.labels, scores.values)
