"""Figures of confusion matrices and per-class accuracies."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from ..errors import DataError
from ..evaluation.statistics import class_names, confusion_counts

__all__ = ["class_bars", "confusion_counts", "confusion_figure", "shares"]

# With more classes, the numbers in the cells would be illegible.
MAX_NUMBERED = 40


def shares(counts: np.ndarray) -> np.ndarray:
    """Convert counts [C, C] to percent per label. Labels without samples are NaN."""
    totals = counts.sum(1, keepdims=True)
    return 100 * counts / np.where(totals, totals, np.nan)


def confusion_figure(
    counts: np.ndarray, names: Sequence[str] | None = None, title: str = ""
) -> Figure:
    """Plot a confusion matrix in percent per label, and per-class accuracies as bars.

    Args:
        counts: number of samples per label and predicted class, [C, C].
        names: class names.
        title: title of the figure.

    Raises:
        DataError: the number of names differs from the number of classes (kind
            `label`).
    """
    names = class_names(len(counts), names)
    share = shares(counts)
    positions, many = range(len(names)), len(names) > MAX_NUMBERED
    size = 4 + (0.16 if many else 0.3) * len(names)
    figure = Figure(figsize=(1.6 * size, size), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(3, 1))
    left.imshow(share, cmap="Blues", vmin=0, vmax=100, aspect="auto")
    for row, column in zip(*np.nonzero(share >= 0.5), strict=True) if not many else ():
        color = "white" if share[row, column] > 50 else "black"
        text = f"{share[row, column]:.0f}"
        left.text(column, row, text, ha="center", va="center", color=color, fontsize=8)
    font = {"fontsize": 6} if many else {}
    rotation = 90 if many else 60
    left.set_xticks(positions, names, rotation=rotation, ha="right", **font)
    left.set_yticks(positions, names, **font)
    left.set(xlabel="predicted class (% of true class)", ylabel="true class")
    right.barh(positions, share.diagonal())
    right.set(
        xlim=(0, 100), xlabel="per-class accuracy (%)", ylim=(len(names) - 0.5, -0.5)
    )
    right.set_yticks(positions, [])
    figure.suptitle(title)
    return figure


def class_bars(
    counts: Mapping[str, np.ndarray], names: Sequence[str] | None = None
) -> Figure:
    """Plot the per-class accuracy of one or more networks as bars.

    Classes are sorted by the accuracy of the first network, highest on top. A line marks
    the mean over classes of each network.

    Args:
        counts: mapping from a legend entry to the number of samples per label and
            predicted class, [C, C].
        names: class names.

    Raises:
        DataError: the networks have different numbers of classes (kind
            `samples-differ`), or the number of names differs from the number of classes
            (kind `label`).
    """
    sizes = {len(matrix) for matrix in counts.values()}
    if len(sizes) > 1:
        raise DataError(
            f"the score files have {' and '.join(map(str, sorted(sizes)))} classes, "
            "expected equal numbers of classes",
            kind="samples-differ",
        )
    names = class_names(sizes.pop(), names)
    accuracy = {title: shares(matrix).diagonal() for title, matrix in counts.items()}
    order = np.argsort(-np.nan_to_num(next(iter(accuracy.values()))), kind="stable")
    height = 0.8 / len(accuracy)
    figure = Figure(
        figsize=(8, 1.6 + (0.16 + 0.12 * len(accuracy)) * len(names)),
        layout="constrained",
    )
    ax = figure.subplots()
    for number, (title, values) in enumerate(accuracy.items()):
        offset = (number - (len(accuracy) - 1) / 2) * height
        mean, color = np.nanmean(values), f"C{number}"
        ax.barh(
            np.arange(len(names)) + offset,
            values[order],
            height,
            color=color,
            label=f"{title} (mean: {mean:.1f}%)",
        )
        ax.axvline(mean, color=color, linewidth=1, linestyle="--")
    ax.set_yticks(range(len(names)), [names[label] for label in order])
    ax.set(
        xlim=(0, 100), xlabel="per-class accuracy (%)", ylim=(len(names) - 0.5, -0.5)
    )
    figure.legend(loc="outside upper center")
    return figure
