"""Partition strategies: how a graph convolution divides a joint's neighbours.

Each subset of the neighbours has an adjacency matrix and weights of its own.

Source: Yan et al., "Spatial Temporal Graph Convolutional Networks for
Skeleton-Based Action Recognition", AAAI 2018, https://arxiv.org/abs/1801.07455,
section 3.3, and the authors' code (BSD-2-Clause).
"""

import numpy as np
from mmaction.models.utils import Graph
from mmaction.models.utils.graph import get_hop_distance, normalize_digraph

from ..errors import ConfigError
from ..skeletons import graph_layout

MODES = (
    "uniform",
    "distance",
    "stgcn_spatial",
    "stgcn_spatial_mended",
    "spatial",
    "binary_adj",
)


class PartitionGraph(Graph):
    """MMAction2's Graph, for every layout of `msg3d.skeletons`, with all partitions.

    `A` is float64 [K, V, V], indexed (subset, source, target). Subsets of the
    neighbours within `max_hop` hops are shares of one matrix whose columns sum to
    one, so that their sum is that of 'uniform'.

    - `uniform`: all neighbours in one subset.
    - `distance`: one subset a hop, 0 to `max_hop`.
    - `stgcn_spatial`: hop 0; then for each hop the sources that are not nearer to the
      centre than the target, and those that are nearer. As published: the distance to
      the centre is only known up to `max_hop`, and joints farther away all count as
      equally far, so most bones lie in the first of the two. MMAction2's, unchanged.
    - `stgcn_spatial_mended`: the same with every joint's distance to the centre.
    - `spatial`: self-links, inward bones, outward bones, each normalised alone (the
      authors' v0.1.0, 2s-AGCN). MMAction2's, unchanged.
    - `binary_adj`: the bones as zeros and ones. MMAction2's, unchanged.

    Args:
        layout: a name, or `dict(num_node=, inward=, center=)`.
        mode: one of the above.
        max_hop: the farthest neighbour, in bones.

    Raises:
        ConfigError: the layout is unknown (kind "layout"), or the mode, or `max_hop` is
            below one (kind "option").
    """

    def __init__(
        self,
        layout: str | dict = "coco",
        mode: str = "spatial",
        max_hop: int = 1,
    ) -> None:
        if mode not in MODES:
            raise ConfigError(
                f"unknown graph_cfg mode {mode!r}: choose one of {', '.join(MODES)}",
                kind="option",
                field="graph_cfg.mode",
            )
        if max_hop < 1:
            raise ConfigError(
                f"graph_cfg max_hop is {max_hop}, but neighbors begin one bone away: "
                "set it to 1 or more",
                kind="option",
                field="graph_cfg.max_hop",
            )
        super().__init__(graph_layout(layout), mode, max_hop)
        self.layout = layout  # as it was named, for messages

    def uniform(self) -> np.ndarray:
        """All neighbours in one subset, [1, V, V]."""
        return normalize_digraph((self.hop_dis <= self.max_hop).astype(float))[None]

    def distance(self) -> np.ndarray:
        """One subset a hop, [max_hop + 1, V, V]."""
        hops = np.arange(self.max_hop + 1)[:, None, None]
        return self.uniform() * (self.hop_dis == hops)

    def stgcn_spatial_mended(self) -> np.ndarray:
        """By hop and by distance to the centre, [2 max_hop + 1, V, V]."""
        to_center = self._hops_to_center()
        nearer = to_center[:, None] < to_center[None]  # (source, target)
        zero, *others = self.distance()
        halves = [half for hop in others for half in (hop * ~nearer, hop * nearer)]
        return np.stack([zero, *halves])

    def _hops_to_center(self) -> np.ndarray:
        """Bones from each joint to the centre, [V]; infinite where none lead there."""
        one_hop = get_hop_distance(self.num_node, self.inward) <= 1
        distance = np.full(self.num_node, np.inf)
        distance[self.center] = 0
        for _ in range(self.num_node - 1):
            reached = np.where(one_hop, distance[:, None] + 1, np.inf).min(0)
            distance = np.minimum(distance, reached)
        return distance
