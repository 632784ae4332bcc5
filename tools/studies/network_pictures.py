"""Confusion matrix and accuracy a class, of the best network of each data set."""

from pathlib import Path
from statistics import mean
from typing import Dict, List

import numpy as np

from msg3d.annotations.files import load_annotations
from msg3d.visualization.confusion import confusion_counts, confusion_figure
from msg3d.visualization.files import save_figure

from .network_configs import DATA_SETS, NETWORKS
from .network_scores import scores_of
from .network_table import FOLDS, folds, groups


def draw(results: List[Dict], data: Path, work_dir: Path, folder: Path) -> None:
    """Writes DATA-SET.png for each data set whose scores are in the work folder.

    The best is the greatest mean top-1 over the seeds, fused streams among them; the
    samples of all its seeds are counted, and those of all folds.

    Args:
        results: of the study.
        data: folder of the annotation files.
        work_dir: with the runs' scores.
        folder: of the pictures.
    """
    results = results + folds(results)
    for name, splits in groups().items():
        best = best_setting(results, name)
        if best is None:
            continue
        seeds = [r["seed"] for r in results if r["setting"] == best]
        rest = best[len(name) :]
        counts = sum(
            confusion(work_dir, split + rest, seed)
            for split in splits
            for seed in seeds
        )
        source = DATA_SETS[splits[0]]
        classes = load_annotations(str(data / source.file))["meta"]["classes"]
        title = "SBU, five folds" if name == FOLDS else source.title.replace("`", "")
        _, network, stream = best.split("/")
        title += (
            f": {NETWORKS[network].title}, {stream}, "
            f"{len(seeds)} seed{'s' * (len(seeds) > 1)}"
        )
        file = folder / f"{'sbu' if name == FOLDS else name}.png"
        save_figure(confusion_figure(counts, classes, title), file, dpi=80)
        print(f"wrote {file}")


def best_setting(results: List[Dict], name: str) -> str | None:
    """Of the greatest mean top-1; None where there is no result."""
    found: Dict[str, List[float]] = {}
    for result in results:
        if result["setting"].startswith(name + "/"):
            found.setdefault(result["setting"], []).append(result["top1"])
    return max(found, key=lambda name: mean(found[name]), default=None)


def confusion(work_dir: Path, setting: str, seed: int) -> np.ndarray:
    """Counts [label, prediction] of one seed."""
    scores = scores_of(work_dir, setting, seed)
    return confusion_counts(scores.labels, scores.values)
