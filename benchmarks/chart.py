"""Bar chart of measured throughput, legible on light and dark backgrounds."""

from pathlib import Path

from msg3d.io.atomic import whole_file

OURS, OTHER, TEXT = "#2a78d6", "#9a9a9a", "#808080"
TITLES = {
    "infer": "Inference",
    "absent": "Inference, one person",
    "mix": "Inference, mix",
    "train": "Training",
}
NAMES = {
    "plain": "published form",
    "msg3d": "msg3d",
    "original": "original MS-G3D",
    "mmaction2": "MMAction2",
    "pyskl": "PYSKL",
    "skateformer": "SkateFormer",
    "stgcn": "ST-GCN",
    "aagcn": "AAGCN",
    "ctrgcn": "CTR-GCN",
}


def save_chart(rows: list[dict], path: Path) -> None:
    """Plot clips per second of each network, one panel per part.

    Args:
        rows: rows of the table `speed`. The first layout, dtype, batch, and mode are
            shown.
        path: path of the SVG file, which is not written if nothing was measured.
    """
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    keys = ("layout", "dtype", "batch", "mode")
    names = dict.fromkeys(row["network"] for row in rows if "network" in row)
    rows = [row for row in rows if "clips_per_s" in row]
    if not rows:
        return
    rows = [row for row in rows if all(row[key] == rows[0][key] for key in keys)]
    parts = list(dict.fromkeys(row["part"] for row in rows))
    networks = [name for name in names if name != "gemm"][::-1]
    figure = Figure(figsize=(9, 0.7 + 0.32 * len(networks)), layout="constrained")
    panels = figure.subplots(1, len(parts), sharey=True, squeeze=False)[0]
    for ax, part in zip(panels, parts, strict=True):
        speed = {r["network"]: r["clips_per_s"] for r in rows if r["part"] == part}
        for position, name in enumerate(networks):
            value = speed.get(name, 0)
            color = OURS if name == "msg3d" else OTHER
            ax.barh(position, value, color=color, height=0.65)
            label = f" {value:.3g}" if name in speed else " failed"
            ax.text(value, position, label, va="center", color=TEXT)
        ax.set_title(TITLES.get(part, part), color=TEXT, fontsize=11)
        ax.set_yticks(range(len(networks)), [NAMES.get(n, n) for n in networks])
        ax.set_xlim(0, 1.18 * max(speed.values()))
        ax.set_xlabel("clips per second", color=TEXT)
        ax.tick_params(colors=TEXT, length=0)
        ax.spines[:].set_visible(False)
    FigureCanvasSVG(figure)
    with (
        matplotlib.rc_context({"svg.hashsalt": "msg3d", "svg.fonttype": "none"}),
        whole_file(str(path), "xb") as file,
    ):
        figure.savefig(file, format="svg", transparent=True, metadata={"Date": None})
