"""Saliency as a heat map of joints over frames, with the sums of either."""

import numpy as np
from matplotlib.figure import Figure


def saliency_figure(
    saliency: np.ndarray, joints: tuple[str, ...], title: str = ""
) -> Figure:
    """Joints over frames, summed over persons; red speaks for the class, blue against.

    Args:
        saliency: [M, T, V].
        joints: V names.
        title: above.
    """
    total = saliency.sum(0)  # (T, V)
    most = max(float(np.abs(total).max()), 1e-12)
    places = np.arange(len(joints))
    figure = Figure(figsize=(10, 1.8 + 0.2 * len(joints)), layout="constrained")
    (over, corner), (ax, beside) = figure.subplots(
        2, 2, width_ratios=(4, 1), height_ratios=(1, 4)
    )
    corner.set_axis_off()
    ax.imshow(
        total.T,
        cmap="RdBu_r",
        vmin=-most,
        vmax=most,
        aspect="auto",
        interpolation="nearest",
    )
    ax.set_yticks(places, joints, fontsize=8)
    ax.set(xlabel="frame")
    frames = np.arange(len(total))
    over.fill_between(frames, total.sum(1), step="mid", alpha=0.6)
    over.axhline(0, color="0.5", linewidth=0.8)
    over.set(xlim=(-0.5, len(total) - 0.5), ylabel="of frames")
    over.set_xticks([])
    beside.barh(places, total.sum(0), alpha=0.6)
    beside.axvline(0, color="0.5", linewidth=0.8)
    beside.set(ylim=(len(joints) - 0.5, -0.5), xlabel="of joints")
    beside.set_yticks([])
    figure.suptitle(title)
    return figure
