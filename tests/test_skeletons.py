"""The layouts are those of MMAction2 where it has them, and trees everywhere."""

import numpy as np
import pytest
from mmaction.models.utils import Graph

from msg3d.models.graph import build_graph, disentangled_scales, spacetime_adjacency
from msg3d.skeletons import SKELETONS, graph_layout, skeleton


@pytest.mark.parametrize("layout", ["coco", "openpose", "nturgb+d"])
@pytest.mark.parametrize("mode", ["binary_adj", "spatial", "stgcn_spatial"])
def test_equal_to_mmaction2(layout, mode):
    ours, theirs = build_graph(layout, mode=mode), Graph(layout, mode=mode)
    np.testing.assert_array_equal(ours.A, theirs.A)
    assert ours.center == theirs.center and ours.layout == layout


@pytest.mark.parametrize("name", sorted(SKELETONS))
def test_is_a_tree_towards_its_centre(name):
    layout = skeleton(name)
    assert len(set(layout.joints)) == len(layout.joints)
    parents = dict(layout.inward)
    assert len(parents) == len(layout.inward)
    if name == "coco":  # both hips hang on the shoulders, the trunk is a ring's rest
        assert len(parents) == len(layout.joints) - 1
    for joint in range(len(layout.joints)):
        for _ in layout.joints:
            joint = parents.get(joint, joint)
        assert joint == layout.center


def test_sides_mirror():
    """A bone on the left has its like on the right, in every layout."""
    for layout in SKELETONS.values():
        bones = {(layout.joints[a], layout.joints[b]) for a, b in layout.inward}
        for child, parent in bones:
            mirrored = tuple(
                joint.replace("left", "*")
                .replace("right", "left")
                .replace("*", "right")
                for joint in (child, parent)
            )
            assert mirrored in bones


def test_scales_are_disjoint_but_for_the_node_itself():
    graph = build_graph("kinect20", mode="binary_adj")
    scales = disentangled_scales(graph.A[0], 11).numpy() > 0
    others = scales & ~np.eye(20, dtype=bool)
    assert (others.sum(0) == 1 - np.eye(20)).all()  # each pair at one distance
    np.testing.assert_allclose(disentangled_scales(graph.A[0], 11).sum(1), 1, rtol=1e-6)


def test_spacetime_graph_joins_neighbours_in_every_frame():
    graph = build_graph("coco", mode="binary_adj")
    adjacency = disentangled_scales(graph.A[0], 2)[1] > 0
    window = spacetime_adjacency(adjacency.float(), 3).view(3, 17, 3, 17) > 0
    for first in range(3):
        for second in range(3):
            assert (window[first, :, second] == adjacency).all()


def test_dictionary_is_checked():
    with pytest.raises(ValueError, match="names joint 9, but num_node is 3"):
        graph_layout(dict(num_node=3, inward=[(9, 0)], center=0))
