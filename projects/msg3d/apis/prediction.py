"""Prediction for a sequence, a person, or a pair of persons."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Prediction:
    """Class scores and the best class, or regression targets.

    Attributes:
        label: index of the class with the highest score, from 0.
        name: name of this class, or its index as text if the classes have no names.
        score: score of this class.
        scores: float32 [classes], as in the config's test. They sum to 1 with
            `average_clips='prob'`, the default of GCNHead.
        classes: names of all classes, in the order of `scores`.
        rows: indices of the persons in `keypoint` [M, T, V, C].
        frames: (start, stop) of the frames used; `stop` is exclusive.
        persons: predictions for each person separately, if requested.
        pairs: predictions for pairs of persons, closest first, if requested.
        targets: for regression networks, values by target name in the units of the
            training targets. `label`, `name`, and `score` are then None, and `scores`
            and `classes` are empty. None for classification networks.
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
        """Return (name, score) of the `count` best classes, best first."""
        best = np.argsort(-self.scores, kind="stable")[:count]
        return [(self.classes[label], float(self.scores[label])) for label in best]

    def as_dict(self, count: int = 5) -> dict[str, Any]:
        """Return a dictionary for JSON, with the `count` best classes or the targets."""
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
