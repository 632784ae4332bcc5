"""Metrics, statistics, calibration, score files, and score fusion."""

from importlib import import_module
from typing import Any

from ..errors import ScoreError
from .calibration import apply_temperature, calibration_error, fit_temperature
from .fusion import fuse, search_weights
from .score_files import labels_of, read_scores
from .scores import Scores, aligned
from .statistics import class_table, mcnemar, wilson_interval

__all__ = [
    "PersonTraitMetric",
    "ScoreError",
    "Scores",
    "aligned",
    "apply_temperature",
    "calibration_error",
    "class_table",
    "fit_temperature",
    "fuse",
    "labels_of",
    "mcnemar",
    "read_scores",
    "search_weights",
    "wilson_interval",
]


def __getattr__(name: str) -> Any:
    if name == "PersonTraitMetric":  # lazy, because it imports torch and MMAction2
        return import_module(".person_metric", __name__).PersonTraitMetric
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
