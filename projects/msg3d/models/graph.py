"""From a skeleton layout to the adjacency matrices that MS-G3D multiplies by.

Source: Liu et al., "Disentangling and Unifying Graph Convolutions for
Skeleton-Based Action Recognition", CVPR 2020, sections 3.2 and 3.3, normalised as
there or as in MMAction2's port.
"""

import warnings
from functools import cache
from typing import Any

import numpy as np
import torch
from mmaction.models.utils import Graph
from mmaction.models.utils.graph import k_adjacency, normalize_digraph
from torch import Tensor

from ..errors import ConfigError
from ..skeletons import graph_layout


def build_graph(layout: str | dict = "coco", **kwargs: Any) -> Graph:
    """MMAction2's `Graph`, for every layout that `msg3d.skeletons` knows.

    Args:
        layout: a name, or `dict(num_node=, inward=, center=)`.
        **kwargs: the other arguments of `Graph`, such as `mode='binary_adj'`.

    Raises:
        ConfigError: the layout is unknown or names a joint that does not exist (kind
            "layout").
    """
    graph = Graph(layout=graph_layout(layout), **kwargs)
    graph.layout = layout  # as it was named, for messages
    return graph


def binary_adjacency(graph_cfg: dict) -> tuple[Graph, Tensor]:
    """The graph of `graph_cfg` and its 0/1 adjacency matrix, float32 [V, V].

    Raises:
        ConfigError: the mode gives several subsets; MS-G3D makes its own scales (kind
            "option").
    """
    graph = build_graph(**graph_cfg)
    if len(graph.A) != 1:
        raise ConfigError(
            f"graph_cfg mode {graph.mode!r} gives {len(graph.A)} adjacency matrices: "
            "MS-G3D makes its scales from one, use mode='binary_adj'",
            kind="option",
            field="graph_cfg.mode",
        )
    return graph, torch.tensor(graph.A[0], dtype=torch.float32)


def disentangled_scales(
    adjacency: Tensor, num_scales: int, norm: str = "columns"
) -> Tensor:
    """Scale k joins each node to itself and to those exactly k hops away (eq. 4).

    Args:
        adjacency: 0/1 matrix, [V, V].
        num_scales: K.
        norm: one of `NORMS`.

    Returns:
        float32 [K, V, V], indexed (scale, source, target), normalised.
    """
    scales = [
        NORMS[norm](k_adjacency(adjacency, k, with_self=True))
        for k in range(num_scales)
    ]
    return torch.tensor(np.stack(scales), dtype=torch.float32)


def normalize_symmetric(matrix: np.ndarray) -> np.ndarray:
    """D^-1/2 A D^-1/2 with the degrees D of A [V, V], none of them zero."""
    scale = matrix.sum(axis=1) ** -0.5
    return scale[:, None] * matrix * scale


# `columns` is that of MMAction2's port and of PYSKL, A D^-1; `symmetric` that of the
# paper and of the authors' weights.
NORMS = {"columns": normalize_digraph, "symmetric": normalize_symmetric}


def useful_scales(adjacency: Tensor) -> int:
    """How many scales differ from each other: the graph's diameter and one.

    No joint is further away than the diameter, so that every larger scale joins each
    joint to itself alone, as scale 0 does. A space-time graph has the same diameter.

    Args:
        adjacency: 0/1 matrix, [V, V].
    """
    step = (adjacency + torch.eye(len(adjacency))) > 0
    reached, scales = torch.eye(len(adjacency)) > 0, 0
    while True:
        scales += 1
        further = (reached.float() @ step.float()) > 0
        if (further == reached).all():
            return scales
        reached = further


def warn_of_repeated_scales(graph: Graph, adjacency: Tensor, **scales: int) -> None:
    """Says, once a process, that a model has more scales than its graph can fill.

    Args:
        graph: as `build_graph` makes it.
        adjacency: its 0/1 matrix, [V, V].
        **scales: the model's numbers of scales by the names of its arguments.
    """
    useful = useful_scales(adjacency)
    named = isinstance(graph.layout, str)
    title = repr(graph.layout) if named else f"of {graph.num_node} joints"
    for name, number in scales.items():
        if number > useful:
            _warn_once(
                f"{name}={number}, but the graph of layout {title} has diameter "
                f"{useful - 1}: from scale {useful} on, scales repeat scale 0 (each "
                f"joint alone). {name}={useful} is enough for a new model; {number} is "
                "kept for parity with weights that were published with it."
            )


@cache
def _warn_once(text: str) -> None:
    warnings.warn(text, UserWarning, stacklevel=4)


def spacetime_adjacency(adjacency: Tensor, window: int) -> Tensor:
    """Every joint of a window, joined to itself and its neighbours in every frame.

    Args:
        adjacency: 0/1 matrix, [V, V].
        window: frames a window, w.

    Returns:
        [wV, wV], nodes ordered (frame, joint) (eq. 5).
    """
    with_self = adjacency + torch.eye(len(adjacency), dtype=adjacency.dtype)
    return with_self.tile(window, window)
