"""The skeleton layouts: which joints there are, and which bones join them.

A layout is what a `graph_cfg=dict(layout=...)` names. MMAction2 knows three names
and takes any other graph as a dictionary; here each has a name, its joints in
order and its bones, so that a file, a graph and an error can speak of the same
joint.
"""

from .convert import convert_layout
from .layout import STREAMS, Skeleton
from .lookup import graph_layout, skeleton
from .tables import SKELETONS

__all__ = [
    "SKELETONS",
    "STREAMS",
    "Skeleton",
    "convert_layout",
    "graph_layout",
    "skeleton",
]
