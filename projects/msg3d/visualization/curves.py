"""Figures of training curves (loss, accuracy, and learning rate) from MMEngine's logs."""

import json
from pathlib import Path

from matplotlib.figure import Figure

from ..errors import DataError

LOGS = "*/vis_data/scalars.json"
# Labels and line styles of logged scalars.
LINES = {
    "loss": ("training", "-"),
    "val_loss": ("validation", "-"),
    "top1_acc": ("training", ":"),
    "acc/top1": ("validation", "-"),
    "lr": ("learning rate", "-"),
}


def read_curves(folder: str) -> dict[str, tuple[list[float], list[float]]]:
    """Read all scalars in the logs of a work dir, including those of resumed runs.

    Args:
        folder: work dir of a training run (`--work-dir`), or one of its log folders.

    Returns:
        Mapping from the name of a scalar to (epochs, values). Epochs of training scalars
        are fractional, derived from the iteration. A value that a resumed run logs again
        replaces the earlier value.

    Raises:
        DataError: the folder has no log (kind `not-found`), or a line is invalid (kind
            `syntax`).
    """
    root = Path(folder)
    files = sorted(root.glob(LOGS)) or sorted(root.glob("vis_data/scalars.json"))
    if not files:
        raise DataError(
            f"the folder has no {LOGS}. Pass the work dir of a training run (--work-dir).",
            kind="not-found",
            file=str(folder),
        )
    lines = [line for file in files for line in _lines(file)]
    training = [line for line in lines if "epoch" in line]
    # The last logged iteration may not be the end of its epoch.
    ends: dict[int, int] = {}
    for line in training:
        ends[line["epoch"]] = max(ends.get(line["epoch"], 0), line["step"])
    length = max((end / epoch for epoch, end in ends.items()), default=1)
    curves: dict[str, dict[float, float]] = {}
    for line in lines:
        # Lines of validation have no `epoch`: their step is the epoch.
        time = line["step"] / length if "epoch" in line else line["step"]
        for name, value in line.items():
            if name not in ("epoch", "iter", "step") and value is not None:
                curves.setdefault(name, {})[time] = value
    return {
        name: (sorted(points), [points[time] for time in sorted(points)])
        for name, points in curves.items()
    }


def _lines(file: Path) -> list[dict]:
    lines = []
    texts = file.read_text(encoding="utf-8").splitlines()
    for number, text in enumerate(texts, 1):
        try:
            line = json.loads(text)
            line["step"] + 0
        except (ValueError, TypeError, KeyError) as error:
            if number == len(texts):
                break  # still being written, or truncated when the run was killed
            raise DataError(
                f"the line is not a valid entry of MMEngine's log ({error})",
                kind="syntax",
                file=str(file),
                line=number,
            ) from error
        lines.append(line)
    return lines


def curves_figure(folders: list[str]) -> Figure:
    """Plot loss, training and validation accuracy, and learning rate over epochs.

    Args:
        folders: work dirs, each plotted in its own color.

    Raises:
        DataError: a folder has no log (kind `not-found`).
    """
    runs = {folder: read_curves(folder) for folder in folders}
    logged = {name for curves in runs.values() for name in curves}
    panels = [
        ("loss", ["loss", *sorted(n for n in logged if n.startswith("val_loss"))]),
        ("accuracy", ["top1_acc", "acc/top1"]),
        ("learning rate", ["lr"]),
    ]
    panels = [(title, [n for n in names if n in logged]) for title, names in panels]
    panels = [panel for panel in panels if panel[1]]
    figure = Figure(figsize=(4.4 * len(panels), 3.6), layout="constrained")
    axes = figure.subplots(1, len(panels), squeeze=False)[0]
    for ax, (title, names) in zip(axes, panels, strict=True):
        for number, (folder, curves) in enumerate(runs.items()):
            for name in [name for name in names if name in curves]:
                label, style = LINES.get(name, (name, "-"))
                if len(runs) > 1:
                    label = f"{Path(folder).name}: {label}"
                ax.plot(
                    *curves[name],
                    style,
                    marker="." if len(curves[name][0]) < 30 else "",
                    color=f"C{number}",
                    label=label,
                )
        ax.set(title=title, xlabel="epoch")
        ax.grid(alpha=0.3)
        ax.legend(fontsize=8)
        if title == "accuracy":
            ax.set_ylim(0, 1.02)
    return figure
