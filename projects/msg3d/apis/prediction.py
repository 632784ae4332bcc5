"""Prediction for a sequence, for one person in it, or for a pair."""

from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Prediction:
    """The classes' scores, and the best of them.

    Attributes:
        label: number of the class with the highest score, from 0.
        name: of that class; its number as text where classes have no names.
        score: of that class.
        scores: float32 [classes], as the test of the config gives them: they add up to
            1 with `average_clips='prob'`, which is GCNHead's default.
        classes: names of all classes, in the order of `scores`.
        rows: the persons it is of, places in `keypoint` [M, T, V, C].
        frames: (first, one past the last) of the frames that were looked at.
        persons: the same of each person alone, where that was asked for.
        pairs: the same of pairs of persons, closest first, where that was asked for.
    """

    label: int
    name: str
    score: float
    scores: np.ndarray = field(repr=False, compare=False)
    classes: tuple[str, ...] = field(repr=False)
    rows: tuple[int, ...]
    frames: tuple[int, int]
    persons: tuple["Prediction", ...] = ()
    pairs: tuple["Prediction", ...] = ()

    def top(self, count: int = 5) -> list[tuple[str, float]]:
        """(name, score) of the `count` best classes, best first."""
        best = np.argsort(-self.scores, kind="stable")[:count]
        return [(self.classes[label], float(self.scores[label])) for label in best]

    def as_dict(self, count: int = 5) -> dict:
        """For JSON, with the `count` best classes."""
        content = dict(
            label=self.label,
            name=self.name,
            score=self.score,
            rows=list(self.rows),
            frames=list(self.frames),
            top=[dict(name=name, score=score) for name, score in self.top(count)],
        )
        for key in ("persons", "pairs"):
            if getattr(self, key):
                content[key] = [part.as_dict(count) for part in getattr(self, key)]
        return content
