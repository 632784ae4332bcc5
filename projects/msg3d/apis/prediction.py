"""Prediction for a sequence, or for a person or pair in it."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Prediction:
    """Class scores or regression targets predicted for a sequence, a person, or a pair.

    For a regression network, `label`, `name`, and `score` are None, and `scores` and
    `classes` are empty. For a classification network, `targets` is None.

    Attributes:
        label: index of the class with the highest score, from 0.
        name: name of this class, or its index as text if the classes have no names.
        score: score of this class.
        scores: float32 [classes], the scores of all classes. They sum to 1 if the head
            has `average_clips='prob'`, the default of GCNHead, or if the network is
            calibrated.
        classes: names of all classes, in the order of `scores`.
        rows: indices of the persons along axis M of `keypoint` [M, T, V, C].
        frames: range (start, stop) of the frames used, at the frame rate of the network;
            `stop` is exclusive.
        persons: predictions for each person separately; empty unless requested.
        pairs: predictions for pairs of persons, closest first; empty unless requested.
        targets: dictionary from the names of the regression targets to their values, in
            the units of the training targets.
    """

    label: int | None
    name: str | None
    score: float | None
    scores: NDArray[np.float32] = field(repr=False, compare=False)
    classes: tuple[str, ...] = field(repr=False)
    rows: tuple[int, ...]
    frames: tuple[int, int]
    persons: tuple["Prediction", ...] = ()
    pairs: tuple["Prediction", ...] = ()
    targets: dict[str, float] | None = None

    def top(self, count: int = 5) -> list[tuple[str, float]]:
        """Return (name, score) of the `count` classes with the highest scores.

        The classes are sorted by decreasing score. For a regression network, the list
        is empty.
        """
        best = np.argsort(-self.scores, kind="stable")[:count]
        return [(self.classes[label], float(self.scores[label])) for label in best]

    def as_dict(self, count: int = 5) -> dict[str, Any]:
        """Return the prediction as a JSON-compatible dictionary.

        Args:
            count: number of classes with the highest scores in the list `top`.

        Returns:
            Dictionary with `rows`, `frames`, and either `label`, `name`, `score`, and
            `top`, or `targets`. `persons` and `pairs` are lists of dictionaries, if
            not empty.
        """
        selection = {"rows": list(self.rows), "frames": list(self.frames)}
        content: dict[str, Any]
        if self.targets is not None:
            content = dict(targets=self.targets, **selection)
        else:
            content = dict(
                label=self.label,
                name=self.name,
                score=self.score,
                **selection,
                top=[{"name": name, "score": score} for name, score in self.top(count)],
            )
        for key in ("persons", "pairs"):
            if getattr(self, key):
                content[key] = [part.as_dict(count) for part in getattr(self, key)]
        return content
