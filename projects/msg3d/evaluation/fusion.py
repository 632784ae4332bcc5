"""Fusing the scores of several streams: a weighted sum, sample by sample.

The streams of a skeleton (joint, bone, and their motions) are trained apart, and
their scores summed (Shi et al., 2s-AGCN, CVPR 2019). Summing by position, as every
published script does, gives noise as soon as two files differ in order; here samples
are matched by id.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import product

import numpy as np

from ..errors import DataError
from .score_files import (
    Scores,
)


def aligned(streams: Sequence[Scores]) -> list[Scores]:
    """The streams with their samples in the order of the first, all of one kind.

    Where some are logits and some probabilities, the logits go through softmax.

    Raises:
        DataError: a stream without ids, another set of samples (the first ids are
            named), other labels, or another number of classes.
    """
    first = streams[0]
    for one in streams:
        if one.ids is None:
            raise DataError(
                f"score file {one.source} ({one.form}) has no ids of samples: name the "
                "data set's --ann-file and --split, in whose order it is"
            )
        _same_samples(first, one)
        if one.values.shape[1] != first.values.shape[1]:
            raise DataError(
                f"score file {one.source} has {one.values.shape[1]} classes, "
                f"{first.source} has {first.values.shape[1]}: fuse models of one task"
            )
    if len({one.probabilities for one in streams}) > 1:
        streams = [one.as_probabilities() for one in streams]
    ordered = [_ordered(one, first.ids) for one in streams]
    labelled = [one for one in ordered if one.labels is not None]
    for one in labelled[1:]:
        if (one.labels != labelled[0].labels).any():
            where = int(np.argmax(one.labels != labelled[0].labels))
            raise DataError(
                f"sample {first.ids[where]!r} has label {labelled[0].labels[where]} in "
                f"{labelled[0].source} and {one.labels[where]} in {one.source}"
            )
    labels = labelled[0].labels if labelled else None
    return [replace(one, labels=labels) for one in ordered]


def fuse(streams: Sequence[Scores], weights: Sequence[float]) -> np.ndarray:
    """The weighted sum [N, C] of aligned streams.

    Raises:
        DataError: not one weight a stream; one that is negative, NaN or infinite; or
            all are zero.
    """
    if len(weights) != len(streams):
        raise DataError(
            f"{len(weights)} weights for {len(streams)} score files: give one each"
        )
    odd = [one for one in weights if not 0 <= one < np.inf]
    if odd or not any(weights):
        what = f"weight {odd[0]:g}" if odd else "weights that are all 0"
        raise DataError(
            f"{what}: expected 0 or more for each score file, and one of them above 0"
        )
    return sum(weight * one.values for weight, one in zip(weights, streams))


def search_weights(
    streams: Sequence[Scores], steps: int = 10
) -> tuple[tuple[float, ...], float]:
    """The weights of best accuracy, on scores of a split that is not the test split.

    Every combination of multiples of 1 / steps is tried, the first stream's weight
    being 1 and the others' 0 to 2, coarser for more than two streams; of equals,
    those nearest to all ones are taken.

    Args:
        streams: aligned, with labels.
        steps: of a weight of 1.

    Returns:
        Weights, and the accuracy they reach.
    """
    if len(streams) > 2:
        steps = max(2, steps // 2 ** (len(streams) - 2))
    grid = np.arange(2 * steps + 1) / steps
    labels = streams[0].labels
    best, reached = None, -1.0
    ones = sorted(
        product(grid, repeat=len(streams) - 1),
        key=lambda others: sum((one - 1) ** 2 for one in others),
    )
    for others in ones:
        weights = (1.0, *map(float, others))
        accuracy = float((fuse(streams, weights).argmax(1) == labels).mean())
        if accuracy > reached:
            best, reached = weights, accuracy
    return best, reached


def accuracies(values: np.ndarray, labels: np.ndarray) -> dict:
    """top1, top5 and mean class accuracy in per cent, and the accuracy of each class.

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
    return dict(
        top1=float(100 * right.mean()),
        top5=float(100 * (rank <= 5).mean()),
        mean_class=float(np.mean(list(classes.values()))),
        classes=classes,
    )


def _same_samples(first: Scores, other: Scores) -> None:
    mine, its = set(first.ids), set(other.ids)
    if mine != its:
        sides = [
            f"{len(lost)} only in {scores.source}, such as {sorted(lost)[:3]}"
            for scores, lost in ((first, mine - its), (other, its - mine))
            if lost
        ]
        raise DataError(
            f"score files are of different samples: {'; '.join(sides)}: test all "
            "streams on one split"
        )


def _ordered(scores: Scores, ids: list[str]) -> Scores:
    place = {name: number for number, name in enumerate(scores.ids)}
    order = np.array([place[name] for name in ids])
    labels = None if scores.labels is None else scores.labels[order]
    return replace(scores, ids=ids, values=scores.values[order], labels=labels)
