"""Prediction for a sequence, for one person in it, or for a pair."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Prediction:
    """Scores of the classes and the best class, or the targets of a regression.

    Attributes:
        label: index of the class with the highest score, from 0.
        name: of that class, or its index as text if the classes have no names.
        score: of that class.
        scores: float32 [classes], as in the config's test: they sum to 1 with
            `average_clips='prob'`, the default of GCNHead.
        classes: names of all classes, in the order of `scores`.
        rows: indices of the persons in `keypoint` [M, T, V, C].
        frames: (first, one past the last) of the frames used.
        persons: predictions for each person separately, if requested.
        pairs: predictions for pairs of persons, closest first, if requested.
        targets: of a network that regresses targets, their values by name, in the units
            of the training targets. `label`, `name`, and `score` are then None, and
            `scores` and `classes` are empty. None for other networks.
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
        """(name, score) of the `count` best classes, best first."""
        best = np.argsort(-self.scores, kind="stable")[:count]
        return [(self.classes[label], float(self.scores[label])) for label in best]

    def as_dict(self, count: int = 5) -> dict[str, Any]:
        """For JSON, with the `count` best classes, or the targets."""
        place = {"rows": list(self.rows), "frames": list(self.frames)}
        content: dict[str, Any]
        if self.targets is not None:
            content = dict(targets=self.targets, **place)
        else:
            content = dict(
                label=self.label,
                name=self.name,
                score=self.score,
                **place,
                top=[{"name": name, "score": score} for name, score in self.top(count)],
            )
        for key in ("persons", "pairs"):
            if getattr(self, key):
                content[key] = [part.as_dict(count) for part in getattr(self, key)]
        return content
