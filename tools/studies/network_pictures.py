"""Confusion matrix and accuracy a class, of the best network of each data set."""

from pathlib import Path
from statistics import mean
from typing import Dict, List

import numpy as np

from msg3d.datasets.annotations import load_annotations
from msg3d.visualization.confusion import confusion_counts, confusion_figure
from msg3d.visualization.figures import save_figure

from .network_configs import DATA_SETS, NETWORKS
from .network_scores import scores_of


def draw(results: List[Dict], data: Path, work_dir: Path, folder: Path) -> None:
    """Writes DATA-SET.png for each data set whose scores are in the work folder.

    The best is the greatest mean top-1 over the seeds, fused streams among them; the
    samples of all its seeds are counted.

    Args:
        results: of the study.
        data: folder of the annotation files.
        work_dir: with the runs' scores.
        folder: of the pictures.
    """
    for data_set, source in DATA_SETS.items():
        best = best_setting(results, data_set)
        if best is None:
            continue
        seeds = [r["seed"] for r in results if r["setting"] == best]
        counts = sum(confusion(work_dir, best, seed) for seed in seeds)
        names = load_annotations(str(data / source.file))["meta"]["classes"]
        _, network, stream = best.split("/")
        title = (
            f"{source.title.replace('`', '')}: {NETWORKS[network].title}, {stream}, "
            f"{len(seeds)} seed{'s' * (len(seeds) > 1)}"
        )
        figure = confusion_figure(counts, names, title)
        save_figure(figure, folder / f"{data_set}.png", dpi=80)
        print(f"wrote {folder / f'{data_set}.png'}")


def best_setting(results: List[Dict], data_set: str) -> str | None:
    """Of the greatest mean top-1; None where there is no result."""
    found: Dict[str, List[float]] = {}
    for result in results:
        if result["setting"].startswith(data_set + "/"):
            found.setdefault(result["setting"], []).append(result["top1"])
    return max(found, key=lambda name: mean(found[name]), default=None)


def confusion(work_dir: Path, setting: str, seed: int) -> np.ndarray:
    """Counts [label, prediction] of one seed."""
    scores = scores_of(work_dir, setting, seed)
    return confusion_counts(scores.labels, scores.values)
