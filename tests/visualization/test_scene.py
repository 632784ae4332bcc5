"""Sequences stand upright and face the viewer, whatever their axes."""

import numpy as np
import pytest

from errors import raises
from msg3d.datasets import load_annotations, save_annotations
from msg3d.skeletons import skeleton
from msg3d.visualization.scene import (
    UPRIGHT,
    Scene,
    ScoresOverTime,
    read_sample,
    upright,
    view_matrix,
)
from samples import write

LAYOUT = skeleton("kinect20")


def standing(turn=0.0, shift=(0, 0, 0)):
    """[1, 2, 20, 3]: y up; at turn=0 the left is on +x, and the nose looks at +z."""
    joint = {name: number for number, name in enumerate(LAYOUT.joints)}
    pose = np.zeros((20, 3))
    pose[:, 1] = 1
    for name, y in {"head": 1.8, "left_foot": 0.1, "right_foot": 0.1}.items():
        pose[joint[name], 1] = y
    for side, x in (("left", 0.3), ("right", -0.3)):
        for part in ("shoulder", "elbow", "hip", "knee", "ankle", "foot"):
            pose[joint[f"{side}_{part}"], 0] = x
    pose[joint["left_foot"], 2] = pose[joint["right_foot"], 2] = 0.25  # toes forward
    pose = pose @ view_matrix(turn, 0).T + shift
    return np.repeat(pose[None, None], 2, 1)


@pytest.mark.parametrize("up", UPRIGHT)
@pytest.mark.parametrize("turn", [0, 40, 170, -90])
def test_one_person_stands_and_faces_the_viewer(up, turn):
    keypoint = standing(turn) @ UPRIGHT[up]  # its inverse takes it back
    for asked in (up, None):
        points = upright(keypoint, LAYOUT, asked)
        np.testing.assert_allclose(points, standing(), atol=1e-6)
    assert np.linalg.det(UPRIGHT[up]) == pytest.approx(1)  # a turn, no mirror


def test_two_persons_stand_side_by_side():
    keypoint = np.concatenate([standing(30, (0, 0, 2)), standing(200, (0.1, 0, 5))])
    points = upright(keypoint, LAYOUT)
    first, second = points.mean((1, 2))
    assert second[0] - first[0] > 2.5
    assert abs(second[2] - first[2]) < 0.1


def test_absent_joints_and_pixels():
    keypoint = np.array([[[[10, 20], [0, 0]]]], np.float32)
    points = upright(
        keypoint, skeleton({"num_node": 2, "inward": [(0, 1)], "center": 1})
    )
    np.testing.assert_array_equal(points, [[[[10, -20], [np.nan, np.nan]]]])
    with raises("no-person"):
        upright(keypoint * 0, LAYOUT)


def test_viewer_walks_to_the_right_and_up():
    scene = Scene("", LAYOUT, np.array([[[[1.0, 2, 3]]]]))
    np.testing.assert_allclose(scene.view()[0, 0, 0], [1, 2])
    # From +x, what is near in z is to the left.
    np.testing.assert_allclose(scene.view(azimuth=90)[0, 0, 0], [-3, 2], atol=1e-12)
    # From above, what was near is at the bottom.
    np.testing.assert_allclose(scene.view(elevation=90)[0, 0, 0], [1, -3], atol=1e-12)


def test_colors_tell_sides_of_one_and_persons_of_several():
    one = Scene("", LAYOUT, np.zeros((1, 1, 20, 3))).colors()[0]
    joints = LAYOUT.joints
    left, right = one[joints.index("left_hand")], one[joints.index("right_hand")]
    assert len({left, right, one[joints.index("head")]}) == 3
    two = Scene("", LAYOUT, np.zeros((2, 1, 20, 3))).colors()
    assert len(set(two[0])) == len(set(two[1])) == 1
    assert two[0] != two[1]


def test_best_classes_are_those_of_the_highest_peak():
    values = np.array([[0.1, 0.8, 0.1], [np.nan] * 3, [0.9, 0.05, 0.05]])
    scores = ScoresOverTime(np.arange(3), values, ("a", "b", "c"))
    assert scores.best(2) == [0, 1]


def test_sample_is_found_with_its_layout(tmp_path):
    path = str(write(tmp_path / "a.pkl", joints=20))
    sample, layout, _ = read_sample(path)
    assert sample["frame_dir"] == "sample000"
    assert len(layout.joints) == 20
    assert read_sample(path, "sample007")[0]["frame_dir"] == "sample007"
    with raises("unknown-name", sample="x", file=path):
        read_sample(path, "x")
    with raises("layout", sample="sample000"):
        read_sample(path, layout="coco")


def test_layout_of_the_file_or_none(tmp_path):
    path = str(write(tmp_path / "a.pkl", joints=4))
    with raises("layout", file="a.pkl", sample=None):
        read_sample(path)
    data = load_annotations(path)
    data["meta"] = {"inward": [(0, 1), (2, 1), (3, 1)], "center": 1}
    save_annotations(data, path)
    assert read_sample(path)[1].inward == ((0, 1), (2, 1), (3, 1))
