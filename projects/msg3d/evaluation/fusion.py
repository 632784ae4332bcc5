"""Score fusion: weighted sum of scores from several streams.

The streams of a skeleton (joint, bone, and their motions) are trained separately, and
their scores are summed (Shi et al., 2s-AGCN, CVPR 2019). Published scripts match samples
by position, which is wrong if the files differ in order. Here samples are matched by id
(`scores.aligned`).
"""

from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np

from ..errors import DataError
from .scores import Scores

# Keys: top1, top5, mean_class, and classes (label -> accuracy); all in percent.
Accuracies = dict[str, Any]


def fuse(streams: Sequence[Scores], weights: Sequence[float]) -> np.ndarray:
    """Return the weighted sum of the scores in aligned streams, float64 [N, C].

    Raises:
        DataError: there is not one weight per stream, a weight is negative, NaN, or
            infinite, or all weights are zero (kind `option`).
    """
    if len(weights) != len(streams):
        raise DataError(
            f"got {len(weights)} weights, expected {len(streams)} (one per score file)",
            kind="option",
        )
    invalid = [weight for weight in weights if not 0 <= weight < np.inf]
    if invalid or not any(weights):
        problem = f"got weight {invalid[0]:g}" if invalid else "all weights are 0"
        raise DataError(
            f"{problem}, expected finite weights that are not negative, with at least one "
            "positive weight",
            kind="option",
        )
    weighted = (
        weight * stream.values for weight, stream in zip(weights, streams, strict=True)
    )
    return sum(weighted, np.zeros_like(streams[0].values))


def search_weights(
    streams: Sequence[Scores], steps: int = 10
) -> tuple[tuple[float, ...], float]:
    """Search for the fusion weights with the best top-1 accuracy.

    Use a different split than the test split. The weight of the first stream is 1.
    For the other streams, all multiples of 1 / steps from 0 to 2 are tried, with coarser
    steps for more than two streams. Ties are resolved in favor of weights close to 1.

    Args:
        streams: aligned streams, with labels.
        steps: steps per unit of weight.

    Returns:
        The weights, one per stream, and their accuracy from 0 to 1.
    """
    if len(streams) > 2:
        steps = max(2, steps // 2 ** (len(streams) - 2))
    grid = np.arange(2 * steps + 1) / steps
    labels = streams[0].labels
    best: tuple[float, ...] = ()
    best_accuracy = -1.0
    combinations = sorted(
        product(grid, repeat=len(streams) - 1),
        key=lambda others: sum((weight - 1) ** 2 for weight in others),
    )
    for others in combinations:
        weights = (1.0, *map(float, others))
        accuracy = float((fuse(streams, weights).argmax(1) == labels).mean())
        if accuracy > best_accuracy:
            best, best_accuracy = weights, accuracy
    return best, best_accuracy


def accuracies(values: np.ndarray, labels: np.ndarray) -> Accuracies:
    """Return top-1, top-5, mean class, and per-class accuracy in percent.

    Args:
        values: scores of C classes, [N, C].
        labels: class indices, int [N].
    """
    correct = values.argmax(1) == labels
    score = np.take_along_axis(values, labels[:, None], 1)
    # The label ranks last among equal scores, so that constant scores are not correct.
    rank = (values >= score).sum(1)
    classes = {
        int(label): float(100 * correct[labels == label].mean())
        for label in np.unique(labels)
    }
    return {
        "top1": float(100 * correct.mean()),
        "top5": float(100 * (rank <= 5).mean()),
        "mean_class": float(np.mean(list(classes.values()))),
        "classes": classes,
    }
