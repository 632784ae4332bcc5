"""Calibration of class probabilities.

A network is calibrated if 80 % of the predictions with a probability of 0.8 are correct.
Trained networks are usually overconfident. Temperature scaling divides the logits by a
single number T, which is fitted on validation samples:

    q_c = softmax(log(p) / T)_c = p_c^(1/T) / sum_k p_k^(1/T)

Here p are the probabilities of a sample after averaging over its clips, as in score
files. `Recognizer` and exported networks apply the same formula to the same quantity, so
T is exact for them. T > 1 makes predictions less confident. The order of the classes, and
therefore the accuracy, does not change.

C. Guo, G. Pleiss, Y. Sun, K. Q. Weinberger: On calibration of modern neural networks,
ICML 2017, https://arxiv.org/abs/1706.04599.
"""

import math
from typing import NamedTuple

import numpy as np

from ..errors import DataError

BINS = 15
# Smallest probability: the smallest normal number in float32, the type of scores.
TINY = float(np.finfo(np.float32).tiny)
# Range of temperatures that are searched.
LOWEST, HIGHEST = 0.01, 100.0


class Reliability(NamedTuple):
    """Accuracy and confidence of predictions in B bins of equal width.

    The confidence of a prediction is the probability of the predicted class. Bin b
    contains confidences above b / B, and up to (b + 1) / B.

    Attributes:
        samples: number of samples, int [B].
        accuracy: fraction of correct predictions, [B]. NaN for an empty bin.
        confidence: mean confidence, [B]. NaN for an empty bin.
    """

    samples: np.ndarray
    accuracy: np.ndarray
    confidence: np.ndarray


def reliability(
    probabilities: np.ndarray, labels: np.ndarray, bins: int = BINS
) -> Reliability:
    """Return accuracy and confidence per bin, the content of a reliability diagram.

    Args:
        probabilities: class probabilities, [N, C].
        labels: class indices, int [N].
        bins: number of bins B.
    """
    confidence = probabilities.max(1)
    correct = probabilities.argmax(1) == labels
    index = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    samples = np.bincount(index, minlength=bins)
    total = np.where(samples, samples, np.nan)
    return Reliability(
        samples,
        np.bincount(index, correct, bins) / total,
        np.bincount(index, confidence, bins) / total,
    )


def calibration_error(
    probabilities: np.ndarray, labels: np.ndarray, bins: int = BINS
) -> float:
    """Return the expected calibration error (ECE) of the predicted class.

    It is the mean over samples of the difference between accuracy and confidence of
    their bin, Guo et al., equation 3.

    Args:
        probabilities, labels, bins: see `reliability`.

    Returns:
        Error from 0 to 1.
    """
    samples, accuracy, confidence = reliability(probabilities, labels, bins)
    gaps = samples * np.abs(accuracy - confidence)
    return float(np.nansum(gaps) / samples.sum())


def log_loss(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Return the mean negative log-likelihood of the labels, in nats."""
    chosen = np.take_along_axis(probabilities, labels[:, None], 1)
    return float(-np.log(np.maximum(chosen, TINY)).mean())


def apply_temperature(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """Return calibrated probabilities, [N, C].

    Args:
        probabilities: class probabilities, [N, C].
        temperature: temperature T, see the module.
    """
    logits = _logits(probabilities) / temperature
    powers = np.exp(logits - logits.max(1, keepdims=True))
    calibrated: np.ndarray = powers / powers.sum(1, keepdims=True)
    return calibrated


def fit_temperature(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Return the temperature that minimizes the log loss.

    The loss is convex in 1 / T. Its derivative, the mean over samples of the expected
    log p minus the log p of the label, is bisected.

    Args:
        probabilities: class probabilities of validation samples, [N, C]. Probabilities
            of training samples give a temperature that is too low.
        labels: class indices, int [N].

    Raises:
        DataError: the best temperature is below 0.01 or above 100 (kind `score`). This
            is the case if all predictions are correct, or if the labels do not belong to
            the scores.
    """
    logits = _logits(probabilities)
    target = np.take_along_axis(logits, labels[:, None], 1).mean()

    def excess(temperature: float) -> float:
        """Return the derivative of the log loss with respect to 1 / T."""
        weights = apply_temperature(probabilities, temperature)
        return float((weights * logits).sum(1).mean() - target)

    low, high = LOWEST, HIGHEST
    if not excess(high) < 0 < excess(low):
        raise DataError(
            f"no temperature between {LOWEST:g} and {HIGHEST:g} minimizes the log loss. "
            "Use scores of a validation split, with some wrong predictions, and with the "
            "labels of these samples.",
            kind="score",
            field="temperature",
        )
    while high / low > 1 + 1e-9:
        middle = math.sqrt(low * high)
        low, high = (low, middle) if excess(middle) < 0 else (middle, high)
    return math.sqrt(low * high)


def _logits(probabilities: np.ndarray) -> np.ndarray:
    logits: np.ndarray = np.log(np.maximum(probabilities, TINY))
    return logits
