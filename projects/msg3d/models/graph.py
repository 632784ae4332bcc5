"""From a skeleton layout to the adjacency matrices that MS-G3D multiplies by.

Source: Liu et al., "Disentangling and Unifying Graph Convolutions for
Skeleton-Based Action Recognition", CVPR 2020, sections 3.2 and 3.3, in the
normalisation of MMAction2's port (columns sum to one).
"""

from typing import Dict

import numpy as np
import torch
from mmaction.models.utils import Graph
from mmaction.models.utils.graph import k_adjacency, normalize_digraph
from torch import Tensor

from ..skeletons import graph_layout


def build_graph(layout="coco", **kwargs) -> Graph:
    """MMAction2's `Graph`, for every layout that `msg3d.skeletons` knows.

    Args:
        layout: a name, or `dict(num_node=, inward=, center=)`.
        **kwargs: the other arguments of `Graph`, such as `mode='binary_adj'`.

    Raises:
        ValueError: the layout is unknown or names a joint that is not there.
    """
    graph = Graph(layout=graph_layout(layout), **kwargs)
    graph.layout = layout  # as it was named, for messages
    return graph


def binary_adjacency(graph_cfg: Dict) -> tuple:
    """The graph of `graph_cfg` and its 0/1 adjacency matrix, float32 [V, V].

    Raises:
        ValueError: the mode gives several subsets; MS-G3D makes its own scales.
    """
    graph = build_graph(**graph_cfg)
    if len(graph.A) != 1:
        raise ValueError(
            f"graph_cfg mode {graph.mode!r} gives {len(graph.A)} adjacency matrices: "
            "MS-G3D makes its scales from one, use mode='binary_adj'"
        )
    return graph, torch.tensor(graph.A[0], dtype=torch.float32)


def disentangled_scales(adjacency: Tensor, num_scales: int) -> Tensor:
    """Scale k joins each node to itself and to those exactly k hops away (eq. 4).

    Args:
        adjacency: 0/1 matrix, [V, V].
        num_scales: K.

    Returns:
        float32 [K, V, V], indexed (scale, source, target), columns normalised.
    """
    scales = [
        normalize_digraph(k_adjacency(adjacency, k, with_self=True))
        for k in range(num_scales)
    ]
    return torch.tensor(np.stack(scales), dtype=torch.float32)


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
