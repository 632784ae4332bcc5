"""Metrics, score files, and score fusion."""

from ..errors import ScoreError
from .fusion import fuse, search_weights
from .person_metric import PersonTraitMetric
from .score_files import labels_of, read_scores
from .scores import Scores, aligned

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
