"""Adjacency matrices of MS-G3D from a skeleton layout.

Source: Liu et al., "Disentangling and Unifying Graph Convolutions for
Skeleton-Based Action Recognition", CVPR 2020, sections 3.2 and 3.3. Matrices are
normalized as in the paper or as in MMAction2's port.
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
    """Build MMAction2's `Graph` for any layout of `msg3d.skeletons`.

    Args:
        layout: name of a layout, or `dict(num_node=, inward=, center=)`.
        **kwargs: other arguments of `Graph`, such as `mode='binary_adj'`.

    Raises:
        ConfigError: the layout is unknown or refers to a joint that does not exist
            (kind `layout`).
    """
    graph = Graph(layout=graph_layout(layout), **kwargs)
    graph.layout = layout  # as configured, for messages
    return graph


def binary_adjacency(graph_cfg: dict) -> tuple[Graph, Tensor]:
    """Build the graph of `graph_cfg` and its 0/1 adjacency matrix, float32 [V, V].

    Raises:
        ConfigError: the mode gives several subsets, but MS-G3D computes its own scales
            (kind `option`).
    """
    graph = build_graph(**graph_cfg)
    if len(graph.A) != 1:
        raise ConfigError(
            f"graph_cfg.mode={graph.mode!r} gives {len(graph.A)} adjacency matrices, "
            "but MS-G3D computes its scales from one matrix. Use mode='binary_adj'.",
            kind="option",
            field="graph_cfg.mode",
        )
    return graph, torch.tensor(graph.A[0], dtype=torch.float32)


def disentangled_scales(
    adjacency: Tensor, num_scales: int, norm: str = "columns"
) -> Tensor:
    """Compute the disentangled multi-scale adjacency (eq. 4).

    Scale k connects each node to itself and to the nodes exactly k hops away.

    Args:
        adjacency: 0/1 matrix, [V, V].
        num_scales: number of scales, K.
        norm: one of `NORMS`.

    Returns:
        Normalized float32 [K, V, V], indexed (scale, source, target).
    """
    scales = [
        NORMS[norm](k_adjacency(adjacency, k, with_self=True))
        for k in range(num_scales)
    ]
    return torch.tensor(np.stack(scales), dtype=torch.float32)


def normalize_symmetric(matrix: np.ndarray) -> np.ndarray:
    """Return D^-1/2 A D^-1/2 with the nonzero degrees D of A [V, V]."""
    scale = matrix.sum(axis=1) ** -0.5
    return scale[:, None] * matrix * scale


# `columns` is A D^-1, as in MMAction2's port and PYSKL; `symmetric` is the form of the
# paper and the authors' weights.
NORMS = {"columns": normalize_digraph, "symmetric": normalize_symmetric}


def useful_scales(adjacency: Tensor) -> int:
    """Return the number of distinct scales: the diameter of the graph + 1.

    Scales larger than the diameter connect each joint only to itself, like scale 0. A
    space-time graph has the same diameter.

    Args:
        adjacency: 0/1 matrix, [V, V].
    """
    step = (adjacency + torch.eye(len(adjacency))) > 0
    reached, scales = torch.eye(len(adjacency)) > 0, 0
    while True:
        scales += 1
        extended = (reached.float() @ step.float()) > 0
        if (extended == reached).all():
            return scales
        reached = extended


def warn_about_repeated_scales(graph: Graph, adjacency: Tensor, **scales: int) -> None:
    """Warn, once per process, about scales that exceed the diameter of the graph.

    Args:
        graph: result of `build_graph`.
        adjacency: its 0/1 matrix, [V, V].
        **scales: number of scales for each argument, such as `num_gcn_scales`.
    """
    useful = useful_scales(adjacency)
    named = isinstance(graph.layout, str)
    title = repr(graph.layout) if named else f"with {graph.num_node} joints"
    for name, number in scales.items():
        if number > useful:
            _warn_once(
                f"{name}={number}, but the graph of the layout {title} has diameter "
                f"{useful - 1}. Scales from {useful} on repeat scale 0 (self-links "
                f"only). Use {name}={useful} for a new model. Keep {number} only to "
                "load weights that were published with it."
            )


@cache
def _warn_once(text: str) -> None:
    warnings.warn(text, UserWarning, stacklevel=4)


def spacetime_adjacency(adjacency: Tensor, window: int) -> Tensor:
    """Connect each joint to itself and its neighbors in all frames of a window (eq. 5).

    Args:
        adjacency: 0/1 matrix, [V, V].
        window: frames per window, w.

    Returns:
        [wV, wV], nodes ordered (frame, joint).
    """
    with_self = adjacency + torch.eye(len(adjacency), dtype=adjacency.dtype)
    return with_self.tile(window, window)
