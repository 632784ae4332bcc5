"""Methods of study `few_shot`, which classify queries by a few examples of each class.

A method maps examples [N, D], their labels [N], and queries [Q, D] to labels [Q].
"""

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from msg3d.apis.enrolled import EnrolledClasses

Array, Indices = NDArray[np.float32], NDArray[np.int_]


def by_mean(
    examples: Array, labels: Indices, queries: Array, share: float = 1
) -> Indices:
    """Classify by the nearest mean; the means are a `share` of their way from the mean."""
    classes, center = np.unique(labels), examples.mean(0)
    means = np.stack([examples[labels == label].mean(0) for label in classes])
    means = center + share * (means - center)
    distances = ((queries[:, None] - means) ** 2).sum(2)
    return classes[distances.argmin(1)]


def by_cosine(
    examples: Array, labels: Indices, queries: Array, center: float = 0
) -> Indices:
    """Classify by the smallest angle; `center` times the mean of examples is subtracted."""
    classes, origin = np.unique(labels), center * examples.mean(0)
    directions = unit(examples - origin)
    means = np.stack([directions[labels == label].mean(0) for label in classes])
    return classes[(unit(queries - origin) @ unit(means).T).argmax(1)]


def by_example(examples: Array, labels: Indices, queries: Array) -> Indices:
    """Classify by the example with the smallest angle."""
    return labels[(unit(queries) @ unit(examples).T).argmax(1)]


def by_regression(
    examples: Array, labels: Indices, queries: Array, steps: int = 100
) -> Indices:
    """Classify by logistic regression on centered directions, with gradient descent."""
    classes = np.unique(labels)
    center = unit(examples).mean(0)
    inputs, rest = unit(unit(examples) - center), unit(unit(queries) - center)
    targets = (labels[:, None] == classes).astype(float)
    weight = np.zeros((examples.shape[1], len(classes)))
    for _ in range(steps):
        powers = np.exp(inputs @ weight)
        errors = targets - powers / powers.sum(1, keepdims=True)
        weight += inputs.T @ errors / len(inputs) * 10 - 0.01 * weight
    return classes[(rest @ weight).argmax(1)]


def by_enrolling(examples: Array, labels: Indices, queries: Array) -> Indices:
    """Classify as `Recognizer.enroll` does."""
    classes, enrolled = np.unique(labels), EnrolledClasses()
    for label in classes:
        enrolled.add(str(label), examples[labels == label])
    return classes[enrolled.scores(queries).argmax(1)]


def with_roots(method: Callable) -> Callable:
    """Apply a method to the square roots of features, and keep their signs."""

    def apply(examples: Array, labels: Indices, queries: Array) -> Indices:
        roots = [np.sign(x) * np.sqrt(np.abs(x)) for x in (examples, queries)]
        return method(roots[0], labels, roots[1])

    return apply


def unit(rows: Array) -> Array:
    """Scale rows to length 1."""
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)


OURS = "enroll"
METHODS: dict[str, Callable[[Array, Indices, Array], Indices]] = {
    "nearest mean": by_mean,
    "nearest mean, shrunk by half": partial(by_mean, share=0.5),
    "cosine": by_cosine,
    "cosine, centered": partial(by_cosine, center=1),
    "cosine, square roots": with_roots(by_cosine),
    "nearest example": by_example,
    "logistic regression": by_regression,
    OURS: by_enrolling,
}
