"""Metrics, score files, and score fusion."""

from importlib import import_module
from typing import Any

from ..errors import ScoreError
from .fusion import fuse, search_weights
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


def __getattr__(name: str) -> Any:
    if name == "PersonTraitMetric":  # lazy, because it imports torch and MMAction2
        return import_module(".person_metric", __name__).PersonTraitMetric
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
