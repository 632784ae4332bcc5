"""Score fusion: the weighted sum of several streams, sample by sample.

The streams of a skeleton (joint, bone, and their motions) are trained separately, and
their scores are summed (Shi et al., 2s-AGCN, CVPR 2019). Published scripts sum by
position, which gives noise as soon as two files differ in order; here samples are
matched by id (`scores.aligned`).
"""

from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np

from ..errors import DataError
from .scores import Scores

# In percent: top1, top5, mean_class, and classes (label -> accuracy).
Accuracies = dict[str, Any]


def fuse(streams: Sequence[Scores], weights: Sequence[float]) -> np.ndarray:
    """Return the weighted sum [N, C] of aligned streams.

    Raises:
        DataError: the number of weights differs from that of the streams, a weight is
            negative, NaN, or infinite, or all are zero.
    """
    if len(weights) != len(streams):
        raise DataError(
            f"{len(weights)} weights for {len(streams)} score files: give one each",
            kind="option",
        )
    odd = [weight for weight in weights if not 0 <= weight < np.inf]
    if odd or not any(weights):
        what = f"weight {odd[0]:g}" if odd else "weights that are all 0"
        raise DataError(
            f"{what}: expected 0 or more for each score file, and more than 0 for one",
            kind="option",
        )
    weighted = (
        weight * stream.values for weight, stream in zip(weights, streams, strict=True)
    )
    return sum(weighted, np.zeros_like(streams[0].values))


def search_weights(
    streams: Sequence[Scores], steps: int = 10
) -> tuple[tuple[float, ...], float]:
    """Search the weights of best accuracy, on scores of another split than the test split.

    The first stream's weight is 1, and all multiples of 1 / steps from 0 to 2 are tried
    for the others, coarser with more than two streams. Of equally good weights, those
    closest to all ones are taken.

    Args:
        streams: aligned, with labels.
        steps: of a weight of 1.

    Returns:
        Weights, and the accuracy that they reach.
    """
    if len(streams) > 2:
        steps = max(2, steps // 2 ** (len(streams) - 2))
    grid = np.arange(2 * steps + 1) / steps
    labels = streams[0].labels
    best: tuple[float, ...] = ()
    reached = -1.0
    combinations = sorted(
        product(grid, repeat=len(streams) - 1),
        key=lambda others: sum((weight - 1) ** 2 for weight in others),
    )
    for others in combinations:
        weights = (1.0, *map(float, others))
        accuracy = float((fuse(streams, weights).argmax(1) == labels).mean())
        if accuracy > reached:
            best, reached = weights, accuracy
    return best, reached


def accuracies(values: np.ndarray, labels: np.ndarray) -> Accuracies:
    """Return top1, top5, and mean class accuracy in percent, and that of each class.

    Args:
        values: [N, C].
        labels: [N].
    """
    right = values.argmax(1) == labels
    score = np.take_along_axis(values, labels[:, None], 1)
    # Of equal scores the label comes last: a constant score is not a hit.
    rank = (values >= score).sum(1)
    classes = {
        int(label): float(100 * right[labels == label].mean())
        for label in np.unique(labels)
    }
    return {
        "top1": float(100 * right.mean()),
        "top5": float(100 * (rank <= 5).mean()),
        "mean_class": float(np.mean(list(classes.values()))),
        "classes": classes,
    }
