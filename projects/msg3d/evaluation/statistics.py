"""Confidence intervals, a paired test, and per-class metrics of test accuracies.

These treat the test samples as independent. Clips of the same recording or person are
not, so that real uncertainty is larger.
"""

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import Any, NamedTuple

import numpy as np

from ..errors import DataError
from .scores import Scores


def wilson_interval(
    correct: int, total: int, confidence: float = 0.95
) -> tuple[float, float]:
    """Return the Wilson score interval of an accuracy.

    The interval contains every p for which `correct` of `total` samples is within
    z standard deviations of a binomial distribution, sqrt(p (1 - p) / total). Unlike
    accuracy ± z * standard error, it stays within 0 and 1, and is valid for few samples
    and for accuracies near 0 and 1.

    E. B. Wilson: Probable inference, the law of succession, and statistical inference,
    Journal of the American Statistical Association 22, 1927.

    Args:
        correct: number of correct samples.
        total: number of samples, at least 1.
        confidence: probability that such an interval contains the true accuracy.

    Returns:
        Lower and upper bound, from 0 to 1.

    Raises:
        DataError: `correct` is not between 0 and `total`, `total` is 0, or `confidence`
            is not between 0 and 1 (kind `number`).

    Example:
        >>> wilson_interval(90, 100)  # 0.826 to 0.945
    """
    if not 0 <= correct <= total or total < 1:
        raise DataError(
            f"{correct} of {total} samples are correct, expected a number from 0 to a "
            "total of at least 1",
            kind="number",
            field="correct",
        )
    if not 0 < confidence < 1:
        raise DataError(
            f"confidence is {confidence}, expected a number between 0 and 1",
            kind="number",
            field="confidence",
        )
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    accuracy, ratio = correct / total, z**2 / total
    center = accuracy + ratio / 2
    half = math.sqrt(ratio * (accuracy * (1 - accuracy) + ratio / 4))
    low, high = (center - half) / (1 + ratio), (center + half) / (1 + ratio)
    return max(0.0, low), min(1.0, high)


class McNemar(NamedTuple):
    """Result of McNemar's test.

    Attributes:
        first_only: number of samples for which only the first method is correct.
        second_only: number of samples for which only the second method is correct.
        p_value: probability of a difference of at least this size if both methods have
            the same accuracy.
    """

    first_only: int
    second_only: int
    p_value: float


def mcnemar(first: np.ndarray, second: np.ndarray) -> McNemar:
    """Return McNemar's exact two-sided test for two methods on the same samples.

    Samples for which both methods are correct, or both are wrong, do not count. If the
    accuracies are equal, each of the others is equally likely to favor either method, so
    that `first_only` has a binomial distribution with p = 0.5.

    Q. McNemar: Note on the sampling error of the difference between correlated
    proportions or percentages, Psychometrika 12, 1947.

    Args:
        first, second: whether each method is correct, bool [N], in the same order of
            samples; see `aligned`.

    Raises:
        DataError: the arrays differ in shape (kind `shape`).

    Example:
        >>> first, second = aligned([read_scores("a.pkl"), read_scores("b.pkl")])
        >>> mcnemar(*(s.values.argmax(1) == s.labels for s in (first, second)))
        McNemar(first_only=23, second_only=9, p_value=0.0201...)
    """
    if first.shape != second.shape or first.ndim != 1:
        raise DataError(
            f"the arrays have shapes {first.shape} and {second.shape}, expected equal "
            "shapes [N]",
            kind="shape",
        )
    first_only = int((first & ~second).sum())
    second_only = int((second & ~first).sum())
    total = first_only + second_only
    # Sum of the binomial coefficients (total over k) for k <= the smaller count.
    term = tail = 1
    for k in range(1, min(first_only, second_only) + 1):
        term = term * (total - k + 1) // k
        tail += term
    return McNemar(first_only, second_only, min(1.0, 2 * tail / 2**total))


def confusion_counts(labels: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return sample counts [C, C] per label and predicted class.

    Args:
        labels: labels, [N].
        values: scores, [N, C].
    """
    counts = np.zeros((values.shape[1], values.shape[1]), int)
    np.add.at(counts, (labels, values.argmax(1)), 1)
    return counts


def labels_in(scores: Scores) -> np.ndarray:
    """Return the labels in a score file, int [N].

    Raises:
        DataError: the file has no labels (kind `label`).
    """
    if scores.labels is None:
        raise DataError(
            "the score file has no labels. Pass the annotation file with --ann-file "
            "and its split with --split.",
            kind="label",
            file=scores.source,
        )
    return scores.labels


def counts_of(scores: Scores) -> np.ndarray:
    """Return sample counts [C, C] per label and predicted class for a score file.

    Raises:
        DataError: the file has no labels (kind `label`).
    """
    return confusion_counts(labels_in(scores), scores.values)


def class_names(count: int, names: Sequence[str] | None) -> list[str]:
    """Return the names of `count` classes, or their indices if `names` is None.

    Raises:
        DataError: the number of names differs from `count` (kind `label`).
    """
    if names is None:
        return list(map(str, range(count)))
    if len(names) != count:
        raise DataError(
            f"got {len(names)} class names, but the scores have {count} classes. Pass "
            "the annotation file that the scores belong to.",
            kind="label",
            field="classes",
        )
    return list(names)


def class_table(counts: np.ndarray) -> list[dict[str, Any]]:
    """Return the metrics of each class.

    Args:
        counts: number of samples per label and predicted class, [C, C].

    Returns:
        One dictionary per class with its index `class`; `support`, the number of samples
        of the class; and in percent `recall`, the accuracy on these samples; `precision`,
        the accuracy on the samples that are predicted as this class; and `f1`, the
        harmonic mean of recall and precision. A metric without samples is None.
    """
    correct, support, predicted = counts.diagonal(), counts.sum(1), counts.sum(0)

    def percent(part: Any, total: Any) -> float | None:
        return float(100 * part / total) if total else None

    return [
        {
            "class": label,
            "support": int(support[label]),
            "recall": percent(hits, support[label]),
            "precision": percent(hits, predicted[label]),
            "f1": percent(2 * hits, support[label] + predicted[label]),
        }
        for label, hits in enumerate(correct)
    ]
