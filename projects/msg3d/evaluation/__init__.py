"""Scores of models: read from every form they come in, and fused by sample."""

from .fusion import aligned, fuse, search_weights
from .score_files import ScoreError, Scores, labels_of, read_scores

__all__ = [
    "ScoreError",
    "Scores",
    "aligned",
    "fuse",
    "labels_of",
    "read_scores",
    "search_weights",
]
