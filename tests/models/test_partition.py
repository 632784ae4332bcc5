"""Partition strategies, compared with their definitions."""

import numpy as np
import pytest
from mmaction.models.utils import Graph

from errors import raises
from msg3d.errors import ConfigError
from msg3d.models.partition import MODES, PartitionGraph
from msg3d.skeletons import SKELETONS, graph_layout

# Bones 0 - 1 - 2 - 3 and 1 - 4, center 1.
TREE = {"num_node": 5, "inward": [(0, 1), (2, 1), (3, 2), (4, 1)], "center": 1}


def hops(layout):
    """Return the hop distances of all pairs of joints by breadth-first search."""
    layout = graph_layout(layout)
    count = layout["num_node"]
    table = np.full((count, count), np.inf)
    for start in range(count):
        ring, distance = {start}, 0
        while ring:
            for joint in ring:
                table[start, joint] = distance
            bones = [*layout["inward"], *[(b, a) for a, b in layout["inward"]]]
            ring = {b for a, b in bones if a in ring and np.isinf(table[start, b])}
            distance += 1
    return table


def partition(layout, mode, max_hop):
    """Compute the subsets pair by pair, as defined in the paper of ST-GCN."""
    table, center = hops(layout), graph_layout(layout)["center"]
    count = len(table)
    subsets = {"uniform": 1, "distance": max_hop + 1}.get(mode, 2 * max_hop + 1)
    A = np.zeros((subsets, count, count))
    to_center = table[center].copy()
    if mode == "stgcn_spatial":
        to_center[to_center > max_hop] = np.inf
    for target in range(count):
        neighbors = [s for s in range(count) if table[s, target] <= max_hop]
        for source in neighbors:
            hop = int(table[source, target])
            if mode == "uniform":
                subset = 0
            elif mode == "distance" or hop == 0:
                subset = hop
            else:
                nearer = to_center[source] < to_center[target]
                subset = 2 * hop if nearer else 2 * hop - 1
            A[subset, source, target] = 1 / len(neighbors)
    return A


@pytest.mark.parametrize("layout", [*sorted(SKELETONS), TREE], ids=str)
@pytest.mark.parametrize("max_hop", [1, 2])
@pytest.mark.parametrize(
    "mode", ["uniform", "distance", "stgcn_spatial", "stgcn_spatial_fixed"]
)
def test_matrices_match_the_definitions(layout, mode, max_hop):
    graph = PartitionGraph(layout, mode, max_hop)
    np.testing.assert_allclose(graph.A, partition(layout, mode, max_hop), atol=1e-15)
    assert graph.layout == layout


def test_matrices_of_a_small_tree():
    zero, farther, nearer = PartitionGraph(TREE, "stgcn_spatial_fixed").A
    np.testing.assert_allclose(np.diag(zero), [1 / 2, 1 / 4, 1 / 3, 1 / 2, 1 / 2])
    expected = np.zeros((5, 5))
    expected[[0, 2, 4], 1] = 1 / 4
    expected[3, 2] = 1 / 3
    np.testing.assert_allclose(farther, expected)
    expected = np.zeros((5, 5))
    expected[1, [0, 2, 4]] = [1 / 2, 1 / 3, 1 / 2]
    expected[2, 3] = 1 / 2
    np.testing.assert_allclose(nearer, expected)


def test_published_partition_does_not_divide_most_bones():
    def nonzero(mode):
        return [np.count_nonzero(a) for a in PartitionGraph("openpose", mode).A]

    assert nonzero("stgcn_spatial") == [18, 25, 9]
    assert nonzero("stgcn_spatial_fixed") == [18, 17, 17]


@pytest.mark.parametrize("mode", ["stgcn_spatial", "spatial", "binary_adj"])
@pytest.mark.parametrize("layout", ["coco", "nturgb+d", "openpose"])
def test_equal_to_mmaction2(layout, mode):
    np.testing.assert_array_equal(
        PartitionGraph(layout, mode).A, Graph(layout, mode=mode).A
    )


def test_joints_disconnected_from_the_center():
    bones = [(0, 1), (1, 1), (2, 3), (3, 3)]  # required for disconnected layouts
    layout = {"num_node": 4, "inward": [(0, 1), (2, 3)], "center": 1, "bones": bones}
    _, farther, nearer = PartitionGraph(layout, "stgcn_spatial_fixed").A
    assert nearer[1, 0] == 1 / 2
    assert farther[0, 1] == 1 / 2
    assert farther[2, 3] == farther[3, 2] == 1 / 2


@pytest.mark.parametrize(
    ("kwargs", "kind", "field"),
    [
        ({"mode": "spacial"}, "option", "graph_cfg.mode"),
        ({"mode": "set_layout"}, "option", "graph_cfg.mode"),
        ({"layout": "cocoo"}, "layout", None),
        ({"mode": "distance", "max_hop": 0}, "option", "graph_cfg.max_hop"),
    ],
)
def test_invalid_graph_cfg(kwargs, kind, field):
    with raises(kind, ConfigError, field=field):
        PartitionGraph(**kwargs)


def test_all_modes_exist():
    assert all(PartitionGraph("coco", mode).A.shape[1:] == (17, 17) for mode in MODES)
