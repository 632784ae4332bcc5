"""Skeleton layouts, axes and units of keypoint arrays, and body proportions."""

from .convert import convert_layout
from .layout import STREAMS, Skeleton
from .lookup import graph_layout, inline_layouts, layout_meta, skeleton
from .tables import SKELETONS

__all__ = [
    "SKELETONS",
    "STREAMS",
    "Skeleton",
    "convert_layout",
    "graph_layout",
    "inline_layouts",
    "layout_meta",
    "skeleton",
]
