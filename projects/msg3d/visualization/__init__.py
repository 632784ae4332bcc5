"""Figures and players of sequences, results, learned graphs, and saliency."""

from .confusion import class_bars, confusion_counts, confusion_figure
from .curves import curves_figure
from .graph_maps import graph_figure, learned_graphs
from .scene import Scene, read_sample

__all__ = [
    "Scene",
    "class_bars",
    "confusion_counts",
    "confusion_figure",
    "curves_figure",
    "graph_figure",
    "learned_graphs",
    "read_sample",
]
