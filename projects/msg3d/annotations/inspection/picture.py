"""Histograms of an annotation file: classes, lengths, persons, and missing joints."""

from typing import TYPE_CHECKING

import numpy as np

from ...io.atomic import whole_file
from .inspect import Inspection
from .report import Report

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.ticker import Locator

# More bars would be illegible.
MOST_SPLITS, MOST_NAMES = 4, 30


def draw(inspection: Inspection, report: Report, path: str) -> None:
    """Draw the histograms of an inspection, and write them to a PNG file atomically.

    Args:
        inspection: result of `inspect_annotations`.
        report: result of `as_json` for this inspection.
        path: file to write. Its folder is created if necessary.

    Raises:
        OSError: the file cannot be written.
        ImportError: Matplotlib is not installed.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
        from matplotlib.ticker import MaxNLocator
    except ImportError as error:
        raise ImportError(
            f"pictures require Matplotlib ({error}). Install it with `pip install "
            "matplotlib`."
        ) from error
    figure = Figure(figsize=(13, 8.5), layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(f"{report['file']}: {report['samples']} samples")
    (classes, lengths), (persons, missing) = figure.subplots(2, 2)
    _classes(classes, report, MaxNLocator(integer=True))
    if inspection.measures:
        _lengths(lengths, inspection)
        _persons(persons, report)
        _missing(missing, report, MaxNLocator(integer=True))
    with whole_file(path) as file:
        figure.savefig(file, format="png", dpi=100)


def _classes(axes: "Axes", report: Report, locator: "Locator") -> None:
    classes = report["classes"]
    labels = classes["labels"]
    # With many protocols, only the first pairs are shown.
    chosen = list(dict.fromkeys(name for pair in report["pairs"] for name in pair))
    chosen = (chosen or list(report["splits"]))[:MOST_SPLITS]
    counts = {name: classes["per_split"][name] for name in chosen}
    counts = counts or {"all": classes["samples"]}
    width = 0.8 / len(counts)
    positions = np.arange(len(labels))
    for number, (name, count) in enumerate(counts.items()):
        heights = [count.get(str(label), 0) for label in labels]
        offset = (number - (len(counts) - 1) / 2) * width
        axes.bar(positions + offset, heights, width, label=name)
    more = len(report["splits"]) - len(counts)
    axes.set_title("Classes" + (f" ({more} more splits not shown)" if more > 0 else ""))
    axes.set_ylabel("samples")
    if len(labels) <= MOST_NAMES:
        names = classes["names"] or []
        shown = [names[n] if n < len(names) else str(n) for n in labels]
        shown = [name if len(name) <= 18 else f"{name[:17]}…" for name in shown]
        axes.set_xticks(
            positions, shown, rotation=40, ha="right", rotation_mode="anchor"
        )
        axes.tick_params("x", labelsize="small")
    else:
        axes.set_xlabel("classes, sorted by label")
    axes.yaxis.set_major_locator(locator)
    axes.margins(y=0.25)  # space for the legend
    axes.legend(fontsize="small", ncols=2)


def _lengths(axes: "Axes", inspection: Inspection) -> None:
    frames = [measures.frames for measures in inspection.measures.values()]
    axes.hist(frames, bins=min(50, max(frames) - min(frames) + 1))
    axes.axvline(np.median(frames), color="black", linestyle="--", label="median")
    axes.set_title("Lengths")
    axes.set_xlabel("frames")
    axes.set_ylabel("samples")
    axes.legend(fontsize="small")


def _persons(axes: "Axes", report: Report) -> None:
    persons = report["persons"]
    bars = axes.bar(list(persons), list(persons.values()), width=0.8)
    axes.bar_label(bars)
    axes.set_title("Persons")
    axes.set_xlabel("persons per sample")
    axes.set_ylabel("samples")
    space = max(3 - len(persons), 0) / 2
    axes.set_xlim(-0.6 - space, len(persons) - 0.4 + space)
    axes.margins(y=0.1)


def _missing(axes: "Axes", report: Report, locator: "Locator") -> None:
    share = 100 * np.array(report["missing_joints"]["per_joint"])
    axes.bar(np.arange(len(share)), share)
    axes.set_title("Missing joints" + ("" if share.any() else ": none"))
    axes.set_xlabel("joint")
    axes.set_ylabel("% of person frames")
    axes.set_ylim(0, max(share.max() * 1.1, 1e-3) if share.any() else 1)
    axes.xaxis.set_major_locator(locator)
