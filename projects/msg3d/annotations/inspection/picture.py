"""Figure of an annotation file: histograms, and an example of each error of tracking."""

from typing import TYPE_CHECKING

import numpy as np

from ...io.atomic import whole_file
from .report import Report
from .result import Inspection
from .tracks import Event

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
        from matplotlib.figure import Figure, FigureBase
        from matplotlib.ticker import MaxNLocator
    except ImportError as error:
        raise ImportError(
            f"pictures require Matplotlib ({error}). Install it with `pip install "
            "matplotlib`."
        ) from error
    events = list({event.kind: event for event in inspection.events}.values())
    figure = Figure(figsize=(13, 12.5 if events else 8.5), layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(f"{report['file']}: {report['samples']} samples")
    top: FigureBase = figure
    bottom: FigureBase = figure
    if events:
        grid = figure.add_gridspec(2, 1, height_ratios=(2, 1))
        top, bottom = (figure.add_subfigure(grid[row]) for row in (0, 1))
    (classes, lengths), (persons, missing) = top.subplots(2, 2)
    if events:
        panels = np.ravel(bottom.subplots(1, len(events), squeeze=False))
        for axes, event in zip(panels, events, strict=True):
            _event(axes, event, inspection)
    _classes(classes, report, MaxNLocator(integer=True))
    if len(inspection.measures):
        _lengths(lengths, inspection)
        _persons(persons, report)
        _missing(missing, report, MaxNLocator(integer=True))
    with whole_file(path) as file:
        figure.savefig(file, format="png", dpi=100)


def _event(axes: "Axes", event: Event, inspection: Inspection) -> None:
    """Draw all persons before (gray) and after an error of tracking."""
    up = -1 if inspection.channels == 2 or inspection.up == "-y" else 1
    pairs = inspection.body.inward if inspection.body else ()
    joints = inspection.body.joints if inspection.body else ()
    for poses, gray in ((event.before, True), (event.after, False)):
        for person, pose in enumerate(poses):
            seen = pose.any(axis=-1)
            x, y = pose[:, 0], up * pose[:, 1]
            for joint, parent in pairs:
                if seen[joint] and seen[parent]:
                    side = joints[joint].partition("_")[0]
                    color = {"left": "tab:blue", "right": "tab:orange"}.get(
                        side, "black"
                    )
                    axes.plot(
                        x[[joint, parent]],
                        y[[joint, parent]],
                        color="lightgray" if gray else color,
                        linewidth=4 if gray else 1.5,
                        zorder=1 if gray else 2,
                    )
            if seen.any():
                axes.scatter(
                    x[seen], y[seen], s=8, c="lightgray" if gray else "black", zorder=3
                )
                if not gray:
                    axes.annotate(str(person), (x[seen][0], y[seen][0]))
    axes.set_aspect("equal", adjustable="datalim")
    title = (
        f"{event.kind}: {event.sample:.40}\nframes {event.frame - 1} and {event.frame}"
    )
    axes.set_title(title, fontsize="medium")


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
    frames = inspection.measures.frames.array
    axes.hist(frames, bins=min(50, int(frames.max() - frames.min()) + 1))
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
