"""Partition strategies of graph convolutions.

A strategy divides the neighbors of a joint into subsets. Each subset has its own
adjacency matrix and weights.

Source: Yan et al., "Spatial Temporal Graph Convolutional Networks for
Skeleton-Based Action Recognition", AAAI 2018, https://arxiv.org/abs/1801.07455,
section 3.3, and the authors' code (BSD-2-Clause).
"""

import warnings

import numpy as np
from mmaction.models.utils import Graph
from mmaction.models.utils.graph import get_hop_distance, normalize_digraph

from ..errors import ConfigError
from ..skeletons import graph_layout

MODES = (
    "uniform",
    "distance",
    "stgcn_spatial",
    "stgcn_spatial_fixed",
    "spatial",
    "binary_adj",
)


class PartitionGraph(Graph):
    """MMAction2's Graph with all layouts of `msg3d.skeletons` and more partitions.

    `A` is float64 [K, V, V], indexed (subset, source, target). For the first four
    modes, the subsets divide one matrix whose columns sum to one: the matrix of
    'uniform', which connects all neighbors within `max_hop` hops.

    - `uniform`: all neighbors in one subset.
    - `distance`: one subset per hop, 0 to `max_hop`.
    - `stgcn_spatial`: hop 0, and two subsets for each further hop: sources that are
      not nearer to the center than the target, and sources that are nearer. As in the
      published code, distances to the center are computed only up to `max_hop`. All
      joints farther away have equal distances, so most bones are in the first of the
      two subsets. Unchanged from MMAction2.
    - `stgcn_spatial_fixed`: the same with the true distance of every joint.
    - `spatial`: self-links, inward bones, and outward bones, each normalized
      separately (the authors' v0.1.0, 2s-AGCN). Unchanged from MMAction2.
    - `binary_adj`: the bones as zeros and ones. Unchanged from MMAction2.

    Args:
        layout: name of a layout, or `dict(num_node=, inward=, center=)`.
        mode: one of the modes above.
        max_hop: distance of the farthest neighbors, in bones.

    Raises:
        ConfigError: the layout is unknown (kind `layout`), the mode is unknown, or
            `max_hop` is below one (kind `option`).
    """

    def __init__(
        self,
        layout: str | dict = "coco",
        mode: str = "spatial",
        max_hop: int = 1,
    ) -> None:
        if mode == "stgcn_spatial_mended":
            warnings.warn(
                "graph_cfg mode 'stgcn_spatial_mended' is deprecated. Use "
                "'stgcn_spatial_fixed' instead.",
                DeprecationWarning,
                stacklevel=2,
            )
            mode = "stgcn_spatial_fixed"
        if mode not in MODES:
            raise ConfigError(
                f"graph_cfg.mode is {mode!r}, expected one of {', '.join(MODES)}",
                kind="option",
                field="graph_cfg.mode",
            )
        if max_hop < 1:
            raise ConfigError(
                f"graph_cfg.max_hop is {max_hop}, expected 1 or more",
                kind="option",
                field="graph_cfg.max_hop",
            )
        super().__init__(graph_layout(layout), mode, max_hop)
        self.layout = layout  # as configured, for messages

    def uniform(self) -> np.ndarray:
        """Return the adjacency matrix of all neighbors, [1, V, V]."""
        return normalize_digraph((self.hop_dis <= self.max_hop).astype(float))[None]

    def distance(self) -> np.ndarray:
        """Return one adjacency matrix per hop, [max_hop + 1, V, V]."""
        hops = np.arange(self.max_hop + 1)[:, None, None]
        return self.uniform() * (self.hop_dis == hops)

    def stgcn_spatial_fixed(self) -> np.ndarray:
        """Return matrices by hop and distance to the center, [2 max_hop + 1, V, V]."""
        to_center = self._hops_to_center()
        nearer = to_center[:, None] < to_center[None]  # (source, target)
        zero, *others = self.distance()
        halves = [half for hop in others for half in (hop * ~nearer, hop * nearer)]
        return np.stack([zero, *halves])

    def _hops_to_center(self) -> np.ndarray:
        """Count the bones from each joint to the center, [V]; inf if disconnected."""
        one_hop = get_hop_distance(self.num_node, self.inward) <= 1
        distance = np.full(self.num_node, np.inf)
        distance[self.center] = 0
        for _ in range(self.num_node - 1):
            reached = np.where(one_hop, distance[:, None] + 1, np.inf).min(0)
            distance = np.minimum(distance, reached)
        return distance
