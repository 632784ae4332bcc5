"""Skeleton layouts: equality with MMAction2, graph structure, and joint names."""

import re
import warnings

import numpy as np
import pytest
import torch
from mmaction.datasets.transforms import JointToBone, PreNormalize3D
from mmaction.models.utils import Graph

from conftest import REPOSITORY
from errors import raises
from msg3d.errors import ConfigError
from msg3d.models import MSG3D
from msg3d.models import graph as graph_module
from msg3d.models.graph import (
    binary_adjacency,
    build_graph,
    disentangled_scales,
    spacetime_adjacency,
    useful_scales,
)
from msg3d.skeletons import SKELETONS, Skeleton, graph_layout, skeleton

MMACTION = ["coco", "openpose", "nturgb+d"]
CHAIN = {"num_node": 5, "inward": [(0, 1), (2, 1), (3, 2), (4, 3)], "center": 1}

# Taken by hand from the definition of each layout: the annotations of COCO and Penn
# Action, the outputs of OpenPose and MediaPipe, the enumerations of the Kinect SDKs (NTU
# RGB+D and OpenNI as numbered in the papers) and of Azure Kinect, the joint lists of SMPL,
# NVIDIA Maxine, Halpe, COCO-WholeBody, and J-HMDB, and VideoPose3D's selection of Human3.6M
# joints.
FACTS = {
    "coco": (17, {0: "nose", 4: "right_ear", 9: "left_wrist", 16: "right_ankle"}),
    "openpose": (
        18,
        {1: "neck", 4: "right_wrist", 7: "left_wrist", 8: "right_hip", 17: "left_ear"},
    ),
    "openpose25": (
        25,
        {8: "mid_hip", 9: "right_hip", 14: "left_ankle", 15: "right_eye"}
        | {18: "left_ear", 19: "left_big_toe", 21: "left_heel", 24: "right_heel"},
    ),
    "nturgb+d": (
        25,
        {0: "spine_base", 3: "head", 4: "left_shoulder", 11: "right_hand"}
        | {15: "left_foot", 20: "spine_shoulder", 21: "left_hand_tip"}
        | {22: "left_thumb", 24: "right_thumb"},
    ),
    "kinect25": (25, {1: "spine_mid", 2: "neck", 7: "left_hand", 16: "right_hip"}),
    "kinect20": (20, {2: "shoulder_center", 7: "left_hand", 19: "right_foot"}),
    "smpl24": (
        24,
        {0: "pelvis", 1: "left_hip", 6: "spine2", 9: "spine3", 12: "neck"}
        | {13: "left_collar", 15: "head", 17: "right_shoulder", 23: "right_hand"},
    ),
    "h36m17": (
        17,
        {0: "pelvis", 1: "right_hip", 4: "left_hip", 8: "thorax", 10: "head"}
        | {11: "left_shoulder", 16: "right_wrist"},
    ),
    "mediapipe33": (
        33,
        {0: "nose", 3: "left_eye_outer", 4: "right_eye_inner", 8: "right_ear"}
        | {9: "left_mouth", 11: "left_shoulder", 16: "right_wrist", 17: "left_pinky"}
        | {20: "right_index", 21: "left_thumb", 23: "left_hip", 29: "left_heel"}
        | {32: "right_foot_index"},
    ),
    "hand21": (21, {0: "wrist", 4: "thumb_tip", 5: "index_mcp", 9: "middle_mcp"}),
    "sbu15": (15, {2: "torso", 3: "left_shoulder", 8: "right_hand", 14: "right_foot"}),
    "penn13": (13, {0: "head", 1: "left_shoulder", 6: "right_wrist", 7: "left_hip"}),
    "azure-kinect32": (
        32,
        {0: "pelvis", 3: "neck", 4: "left_clavicle", 9: "left_hand_tip"}
        | {10: "left_thumb", 14: "right_wrist", 18: "left_hip", 25: "right_foot"}
        | {26: "head", 27: "nose", 29: "left_ear", 30: "right_eye", 31: "right_ear"},
    ),
    "nvidia34": (
        34,
        {0: "pelvis", 3: "torso", 6: "neck", 9: "left_big_toe", 14: "right_heel"}
        | {15: "nose", 20: "left_shoulder", 25: "right_wrist", 28: "left_middle_tip"}
        | {33: "right_thumb_tip"},
    ),
    "halpe26": (
        26,
        {0: "nose", 5: "left_shoulder", 16: "right_ankle", 17: "head", 18: "neck"}
        | {19: "mid_hip", 20: "left_big_toe", 23: "right_small_toe", 25: "right_heel"},
    ),
    "coco-wholebody133": (
        133,
        {16: "right_ankle", 17: "left_big_toe", 19: "left_heel", 20: "right_big_toe"}
        | {23: "right_face_0", 31: "face_8", 39: "left_face_0", 53: "face_30"}
        | {91: "left_hand_root", 95: "left_thumb_tip", 112: "right_hand_root"}
        | {132: "right_pinky_tip"},
    ),
    "jhmdb15": (
        15,
        {0: "neck", 1: "belly", 2: "head", 3: "right_shoulder", 6: "left_hip"}
        | {8: "left_elbow", 9: "right_knee", 12: "left_wrist", 14: "left_ankle"},
    ),
    "hands42": (42, {0: "left_wrist", 4: "left_thumb_tip", 21: "right_wrist"}),
}
# Longest path between two joints, in edges, counted by hand.
DIAMETERS = {
    **{"coco": 8, "openpose": 8, "openpose25": 10, "nturgb+d": 11, "kinect25": 12},
    **{"kinect20": 10, "smpl24": 12, "h36m17": 8, "mediapipe33": 10, "hand21": 8},
    **{"sbu15": 7, "penn13": 7, "azure-kinect32": 12, "nvidia34": 11, "halpe26": 8},
    **{"coco-wholebody133": 17, "jhmdb15": 7, "hands42": 9},
}


def mirror(name):
    """Return right_hip for left_hip, independent of the implementation."""
    swap = {"left": "right", "right": "left"}
    return "_".join(swap.get(part, part) for part in name.split("_"))


@pytest.mark.parametrize("layout", MMACTION)
@pytest.mark.parametrize("mode", ["binary_adj", "spatial", "stgcn_spatial"])
def test_equal_to_mmaction2(layout, mode):
    actual, expected = build_graph(layout, mode=mode), Graph(layout, mode=mode)
    np.testing.assert_array_equal(actual.A, expected.A)
    assert actual.center == expected.center
    assert actual.layout == layout


@pytest.mark.parametrize("name", SKELETONS)
def test_joint_names_follow_the_definition(name):
    count, facts = FACTS[name]
    joints = skeleton(name).joints
    assert len(joints) == len(set(joints)) == count
    assert {number: joints[number] for number in facts} == facts


@pytest.mark.parametrize("name", SKELETONS)
def test_graph_is_a_tree_with_the_center_as_root(name):
    layout = skeleton(name)
    parents = dict(layout.inward)
    assert len(parents) == len(layout.inward) == len(layout.joints) - 1
    for joint in range(len(layout.joints)):
        for _ in layout.joints:
            joint = parents.get(joint, joint)
        assert joint == layout.center


@pytest.mark.parametrize("name", SKELETONS)
def test_edges_are_symmetric(name):
    """Each edge or bone on the left has a counterpart on the right."""
    layout = skeleton(name)
    for edges in (layout.inward, layout.bones):
        by_name = {(layout.joints[a], layout.joints[b]) for a, b in edges}
        unpaired = {edge for edge in by_name if tuple(map(mirror, edge)) not in by_name}
        if name in ("penn13", "hands42"):  # the center is a joint on the left
            assert all(layout.joints[layout.center] in edge for edge in unpaired)
        else:
            assert not unpaired


@pytest.mark.parametrize("name", SKELETONS)
def test_pairs_are_left_and_right(name):
    layout = skeleton(name)
    sided = [j for j in layout.joints if j.startswith(("left_", "right_"))]
    assert len(layout.pairs) == len(sided) / 2
    for left, right in layout.pairs:
        assert layout.joints[left].startswith("left_")
        assert layout.joints[right] == mirror(layout.joints[left])


@pytest.mark.parametrize("name", SKELETONS)
def test_bones_contain_each_joint_once(name):
    layout = skeleton(name)
    assert [child for child, _ in layout.bones] == list(range(len(layout.joints)))
    roots = [child for child, parent in layout.bones if child == parent]
    assert roots == [0 if name == "openpose" else layout.center]


@pytest.mark.parametrize("name", MMACTION)
def test_bones_equal_mmaction2(name):
    assert set(skeleton(name).bones) == set(JointToBone(dataset=name).pairs)


def test_kinect25_has_the_edges_of_msg3d():
    """In MS-G3D's graph (one-based), the tip is linked to the thumb, not to the hand."""
    chain = {(22, 23), (23, 8), (24, 25), (25, 12)}
    star = {(22, 8), (23, 8), (24, 12), (25, 12)}
    one_based = {
        name: {(a + 1, b + 1) for a, b in skeleton(name).inward}
        for name in ("kinect25", "nturgb+d")
    }
    assert one_based["kinect25"] - one_based["nturgb+d"] == chain - star
    assert one_based["nturgb+d"] - one_based["kinect25"] == star - chain
    assert skeleton("kinect25").bones == skeleton("nturgb+d").bones


def test_smpl_edges_equal_its_kinematic_tree():
    """Compare with SMPL's list of parents, ignoring the direction."""
    parents = [-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17]
    parents += [18, 19, 20, 21]
    expected = {frozenset(edge) for edge in enumerate(parents) if edge[1] >= 0}
    assert {frozenset(edge) for edge in skeleton("smpl24").inward} == expected


def test_human36m_edges_equal_videopose3d():
    parents = [-1, 0, 1, 2, 0, 4, 5, 0, 7, 8, 9, 8, 11, 12, 8, 14, 15]
    assert skeleton("h36m17").inward == tuple(enumerate(parents))[1:]


def test_edges_of_sbu_and_penn_action():
    assert set(skeleton("sbu15").inward) == {
        *((0, 1), (2, 1), (3, 1), (4, 3), (5, 4), (6, 1), (7, 6), (8, 7)),
        *((9, 2), (10, 9), (11, 10), (12, 2), (13, 12), (14, 13)),
    }
    assert set(skeleton("penn13").inward) == {
        *((0, 1), (2, 1), (3, 1), (4, 2), (5, 3), (6, 4)),
        *((7, 1), (8, 2), (9, 7), (10, 8), (11, 9), (12, 10)),
    }


@pytest.mark.parametrize("name", SKELETONS)
def test_spine_and_shoulders(name):
    """The ends share no joints, and the shoulders are symmetric."""
    layout = skeleton(name)
    if name == "hands42":  # no body
        assert layout.spine is layout.shoulders is None
        return
    (bottom, top), (right, left) = layout.spine, layout.shoulders
    assert not set(bottom) & set(top)
    assert not set(right) & set(left)
    if name != "hand21":
        names = [[layout.joints[j] for j in end] for end in (right, left)]
        assert names == [["right_shoulder"], ["left_shoulder"]]
        for end in (bottom, top):  # both ends are in the middle
            side = {layout.joints[j] for j in end}
            assert side == set(map(mirror, side))


def test_kinect_axes_equal_prenormalize3d():
    transform = PreNormalize3D()
    for name in ("nturgb+d", "kinect25", "kinect20"):
        layout = skeleton(name)
        assert [end[0] for end in layout.spine] == list(transform.zaxis)
        assert [end[0] for end in layout.shoulders] == list(transform.xaxis)


def test_skeleton_is_immutable():
    with pytest.raises(AttributeError):
        skeleton("coco").center = 3


def test_scales_are_disjoint_except_for_self_loops():
    graph = build_graph("kinect20", mode="binary_adj")
    scales = disentangled_scales(graph.A[0], 11).numpy() > 0
    others = scales & ~np.eye(20, dtype=bool)
    assert (others.sum(0) == 1 - np.eye(20)).all()  # each pair in exactly one scale
    np.testing.assert_allclose(disentangled_scales(graph.A[0], 11).sum(1), 1, rtol=1e-6)


def test_spacetime_graph_connects_neighbors_across_frames():
    graph = build_graph("coco", mode="binary_adj")
    adjacency = disentangled_scales(graph.A[0], 2)[1] > 0
    window = spacetime_adjacency(adjacency.float(), 3).view(3, 17, 3, 17) > 0
    for first in range(3):
        for second in range(3):
            assert (window[first, :, second] == adjacency).all()


@pytest.mark.parametrize("name", SKELETONS)
def test_useful_scales_equal_diameter_plus_one(name):
    _, adjacency = binary_adjacency({"layout": name, "mode": "binary_adj"})
    useful = useful_scales(adjacency)
    assert useful == DIAMETERS[name] + 1
    for graph in (adjacency, spacetime_adjacency(adjacency, 3)):
        identity = torch.eye(len(graph))
        repeats = [
            torch.equal(scale, identity)
            for scale in disentangled_scales(graph, useful + 2)
        ]
        assert repeats == [True] + [False] * (useful - 1) + [True, True]


def test_useful_scales_of_a_long_chain():
    """Powers of the adjacency matrix would overflow."""
    adjacency = torch.diag(torch.ones(299), 1)
    assert useful_scales(adjacency + adjacency.T) == 300
    assert useful_scales(torch.zeros(3, 3)) == 1


def scale_warnings(**kwargs):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        MSG3D(base_channels=12, num_person=1, **kwargs)
    messages = [str(warning.message) for warning in caught]
    return [message for message in messages if "scale" in message]


def test_warning_for_scales_beyond_the_diameter():
    graph_module._warn_once.cache_clear()
    coco = {"graph_cfg": {"layout": "coco", "mode": "binary_adj"}}
    (text,) = scale_warnings(**coco)
    assert "num_gcn_scales=13" in text
    assert "'coco' has diameter 8" in text
    assert "num_gcn_scales=9" in text
    assert not scale_warnings(**coco)  # once
    assert not scale_warnings(num_gcn_scales=9, num_g3d_scales=9, **coco)

    chain = {"graph_cfg": {"layout": CHAIN, "mode": "binary_adj"}}
    gcn, g3d = scale_warnings(num_gcn_scales=6, num_g3d_scales=7, **chain)
    assert "num_gcn_scales=6" in gcn
    assert "5 joints" in gcn
    assert "num_g3d_scales=5" in g3d


def test_dictionary_becomes_a_skeleton():
    layout = skeleton(dict(CHAIN, spine=(4, [1, 2]), shoulders=(0, 2)))
    assert isinstance(layout, Skeleton)
    assert layout.joints == ("joint_0", "joint_1", "joint_2", "joint_3", "joint_4")
    assert layout.bones == ((0, 1), (1, 1), (2, 1), (3, 2), (4, 3))
    assert layout.spine == ((4,), (1, 2))
    assert layout.shoulders == ((0,), (2,))
    assert layout.pairs == ()
    assert layout.as_graph() == CHAIN

    assert graph_layout(dict(CHAIN, _delete_=True)) == CHAIN  # MMEngine keeps the key

    names = ["left_arm", "neck", "right_arm", "left_leg", "right_leg"]
    assert skeleton(dict(CHAIN, joints=names)).pairs == ((0, 2), (3, 4))
    bones = [(4, 0), (1, 1), (0, 1), (2, 1), (3, 2)]
    assert skeleton(dict(CHAIN, bones=bones)).bones == tuple(sorted(bones))


def test_bones_do_not_depend_on_the_direction_of_edges():
    outward = [(b, a) for a, b in CHAIN["inward"]]
    assert skeleton(dict(CHAIN, inward=outward)).bones == skeleton(CHAIN).bones
    ring = [(0, 1), (1, 2), (2, 3), (3, 0)]
    assert skeleton({"num_node": 4, "inward": ring, "center": 0}).bones == (
        (0, 0),
        *((1, 0), (2, 1), (3, 0)),
    )


@pytest.mark.parametrize(
    ("layout", "field", "values"),
    [
        ("coc0", None, "'coc0'|azure-kinect32, coco"),
        (None, None, "None|azure-kinect32, coco"),
        (dict(CHAIN, num_node="5"), "num_node", "'5'"),
        (dict(CHAIN, center=1.0), "center", "1.0|5"),
        (dict(CHAIN, inward=[0, 1]), "inward", "0"),
        ({"num_node": 3}, "center", "center, inward"),
        (dict(CHAIN, root=1), "root", "'root'|center"),
        ({"num_node": 3, "inward": [(9, 0)], "center": 0}, "inward", "9|3"),
        (dict(CHAIN, spine=(0, [1, 7])), "spine", "7|5"),
        (dict(CHAIN, spine=(0, 1, 2)), "spine", "3"),
        (dict(CHAIN, joints=["a", "b", "c", "c", "d"]), "joints", "4|5"),
        (dict(CHAIN, inward=[(0, 1, 2)]), "inward", "(0, 1, 2)"),
        (dict(CHAIN, inward=[(0, 1)]), "inward", "2|1"),
        (dict(CHAIN, bones=[(0, 1)]), "bones", "[(0, 1)]|5"),
    ],
)
def test_invalid_layout(layout, field, values):
    with raises("layout", ConfigError, field=field) as caught:
        graph_layout(layout)
    text = caught.value.message
    assert all(value in text for value in values.split("|")), text


def test_table_in_the_documentation():
    text = (REPOSITORY / "docs/layouts.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\S+)` \| (\d+) \| .* \| (\w+) \| (\d+) \|$", text, re.M)
    assert {row[0]: row[1:] for row in rows} == {
        name: (
            str(len(layout.joints)),
            layout.joints[layout.center],
            str(DIAMETERS[name] + 1),
        )
        for name, layout in SKELETONS.items()
    }


def test_dictionary_in_the_documentation():
    text = (REPOSITORY / "docs/layouts.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"^layout = dict\(\n.*?^\)$", text, re.M | re.S)
    namespace = {}
    exec(code, namespace)
    layout = skeleton(namespace["layout"])
    assert layout.pairs == ((0, 2),)
    assert layout.bones[3] == (3, 1)
    assert layout.spine == ((1,), (0, 2))
