"""Reliability diagram: accuracy over confidence."""

import numpy as np
from matplotlib.figure import Figure

from ..evaluation.calibration import calibration_error, reliability


def reliability_figure(
    probabilities: np.ndarray, labels: np.ndarray, title: str = ""
) -> Figure:
    """Plot the accuracy of predictions over their confidence, and how many there are.

    A calibrated network is on the diagonal, and an overconfident one below it. The idea
    is from DeGroot and Fienberg (1983), in the form of Guo et al. (ICML 2017).

    Args:
        probabilities: class probabilities, [N, C].
        labels: class indices, int [N].
        title: title of the figure.
    """
    samples, accuracy, _ = reliability(probabilities, labels)
    left = np.arange(len(samples)) / len(samples)
    figure = Figure(figsize=(4.5, 5.5), layout="constrained")
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    for ax, heights in ((top, accuracy), (bottom, 100 * samples / samples.sum())):
        ax.bar(left, heights, 1 / len(samples), align="edge", edgecolor="white")
    top.plot([0, 1], [0, 1], "k--", linewidth=1, label="calibrated")
    top.set(xlim=(0, 1), ylim=(0, 1), ylabel="accuracy")
    error = 100 * calibration_error(probabilities, labels)
    top.legend(title=f"calibration error: {error:.1f} %", loc="upper left")
    bottom.set(xlabel="confidence", ylabel="% of samples")
    figure.suptitle(title)
    return figure
