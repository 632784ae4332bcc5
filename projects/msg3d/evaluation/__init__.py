"""Scores of models: read from every form they come in, fused, and compared."""

from ..errors import ScoreError
from .fusion import aligned, fuse, search_weights
from .person_metric import PersonTraitMetric
from .score_files import (
    Scores,
    labels_of,
    read_scores,
)

__all__ = [
    "PersonTraitMetric",
    "ScoreError",
    "Scores",
    "aligned",
    "fuse",
    "labels_of",
    "read_scores",
    "search_weights",
]
