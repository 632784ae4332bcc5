"""Figures and animations of sequences, results, learned graphs, and saliency."""

from importlib import import_module
from typing import Any

# Imported lazily because some of these modules import torch.
_MODULES = {
    "Scene": "scene",
    "class_bars": "confusion",
    "confusion_counts": "confusion",
    "confusion_figure": "confusion",
    "curves_figure": "curves",
    "graph_figure": "graph_maps",
    "learned_graphs": "graph_maps",
    "read_sample": "scene",
    "reliability_figure": "reliability",
}
__all__ = list(_MODULES)


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return getattr(import_module(f".{_MODULES[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
