"""Confusion matrix and accuracy per class."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from ..errors import DataError
from ..evaluation import Scores

# Numbers in more cells could not be read.
MOST_NUMBERED = 40


def confusion_counts(labels: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Counts [label, predicted class] from labels [N] and scores [N, C]."""
    counts = np.zeros((values.shape[1], values.shape[1]), int)
    np.add.at(counts, (labels, values.argmax(1)), 1)
    return counts


def counts_of(scores: Scores) -> np.ndarray:
    """Counts [label, predicted class] of a score file.

    Raises:
        DataError: the file has no labels (`label`).
    """
    if scores.labels is None:
        raise DataError(
            "the score file has no labels. Pass the annotation file with --ann-file, "
            "and --split.",
            kind="label",
            file=scores.source,
        )
    return confusion_counts(scores.labels, scores.values)


def class_names(count: int, names: Sequence[str] | None) -> list[str]:
    """The names of `count` classes, or their indices if there are no names.

    Raises:
        DataError: there are more or fewer names (`label`).
    """
    if names is None:
        return list(map(str, range(count)))
    if len(names) != count:
        raise DataError(
            f"there are {len(names)} names of classes, but the scores have {count} "
            "classes. Pass the annotation file that the scores belong to.",
            kind="label",
            field="classes",
        )
    return list(names)


def shares(counts: np.ndarray) -> np.ndarray:
    """Counts [C, C] in percent of each label's samples; NaN for labels without samples."""
    of_label = counts.sum(1, keepdims=True)
    return 100 * counts / np.where(of_label, of_label, np.nan)


def confusion_figure(
    counts: np.ndarray, names: Sequence[str] | None = None, title: str = ""
) -> Figure:
    """The confusion matrix in percent of each label's samples, and its diagonal as bars.

    Args:
        counts: [label, predicted class].
        names: of the classes.

    Raises:
        DataError: the number of names differs from that of classes (`label`).
    """
    names = class_names(len(counts), names)
    share = shares(counts)
    places, many = range(len(names)), len(names) > MOST_NUMBERED
    size = 4 + (0.16 if many else 0.3) * len(names)
    figure = Figure(figsize=(1.6 * size, size), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(3, 1))
    left.imshow(share, cmap="Blues", vmin=0, vmax=100, aspect="auto")
    for row, column in zip(*np.nonzero(share >= 0.5), strict=True) if not many else ():
        color = "white" if share[row, column] > 50 else "black"
        text = f"{share[row, column]:.0f}"
        left.text(column, row, text, ha="center", va="center", color=color, fontsize=8)
    font = {"fontsize": 6} if many else {}
    left.set_xticks(places, names, rotation=60 if not many else 90, ha="right", **font)
    left.set_yticks(places, names, **font)
    left.set(xlabel="predicted, %", ylabel="true")
    right.barh(places, share.diagonal())
    right.set(
        xlim=(0, 100), xlabel="accuracy per class, %", ylim=(len(names) - 0.5, -0.5)
    )
    right.set_yticks(places, [])
    figure.suptitle(title)
    return figure


def class_bars(
    counts: Mapping[str, np.ndarray], names: Sequence[str] | None = None
) -> Figure:
    """Bar chart of the accuracy per class, for one or more networks.

    Classes are ordered by the first network's accuracy, the best on top. A line marks the
    mean over classes of each network.

    Args:
        counts: title -> [label, predicted class].
        names: of the classes.

    Raises:
        DataError: the numbers of classes differ (`samples-differ`), or the number of
            names does (`label`).
    """
    sizes = {len(matrix) for matrix in counts.values()}
    if len(sizes) > 1:
        raise DataError(
            f"the scores have {sorted(sizes)} classes, expected the same number",
            kind="samples-differ",
        )
    names = class_names(sizes.pop(), names)
    accuracy = {title: shares(one).diagonal() for title, one in counts.items()}
    order = np.argsort(-np.nan_to_num(next(iter(accuracy.values()))), kind="stable")
    height = 0.8 / len(accuracy)
    figure = Figure(
        figsize=(8, 1.6 + (0.16 + 0.12 * len(accuracy)) * len(names)),
        layout="constrained",
    )
    ax = figure.subplots()
    for place, (title, values) in enumerate(accuracy.items()):
        offset = (place - (len(accuracy) - 1) / 2) * height
        mean, color = np.nanmean(values), f"C{place}"
        ax.barh(
            np.arange(len(names)) + offset,
            values[order],
            height,
            color=color,
            label=f"{title} (mean {mean:.1f} %)",
        )
        ax.axvline(mean, color=color, linewidth=1, linestyle="--")
    ax.set_yticks(range(len(names)), [names[one] for one in order])
    ax.set(xlim=(0, 100), xlabel="accuracy per class, %", ylim=(len(names) - 0.5, -0.5))
    figure.legend(loc="outside upper center")
    return figure
