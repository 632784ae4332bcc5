"""Tests of scenes: persons are upright and face the viewer for all axis conventions."""

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
    """Pose [1, 2, 20, 3], y up; with turn=0, left is +x and forward is +z."""
    joint = {name: number for number, name in enumerate(LAYOUT.joints)}
    pose = np.zeros((20, 3))
    pose[:, 1] = 1
    for name, y in {"head": 1.8, "left_foot": 0.1, "right_foot": 0.1}.items():
        pose[joint[name], 1] = y
    for side, x in (("left", 0.3), ("right", -0.3)):
        for part in ("shoulder", "elbow", "hip", "knee", "ankle", "foot"):
            pose[joint[f"{side}_{part}"], 0] = x
    pose[joint["left_foot"], 2] = pose[joint["right_foot"], 2] = 0.25  # forward
    pose = pose @ view_matrix(turn, 0).T + shift
    return np.repeat(pose[None, None], 2, 1)


@pytest.mark.parametrize("up", UPRIGHT)
@pytest.mark.parametrize("turn", [0, 40, 170, -90])
def test_single_person_is_upright_and_faces_the_viewer(up, turn):
    keypoint = standing(turn) @ UPRIGHT[up]
    for option in (up, None):
        points = upright(keypoint, LAYOUT, option)
        np.testing.assert_allclose(points, standing(), atol=1e-6)
    assert np.linalg.det(UPRIGHT[up]) == pytest.approx(1)  # no reflection


def test_two_persons_are_side_by_side():
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


def test_view_from_the_right_and_from_above():
    scene = Scene("", LAYOUT, np.array([[[[1.0, 2, 3]]]]))
    np.testing.assert_allclose(scene.view()[0, 0, 0], [1, 2])
    # Viewed from +x, +z is on the left.
    np.testing.assert_allclose(scene.view(azimuth=90)[0, 0, 0], [-3, 2], atol=1e-12)
    # Viewed from above, +z is at the bottom.
    np.testing.assert_allclose(scene.view(elevation=90)[0, 0, 0], [1, -3], atol=1e-12)


def test_colors_distinguish_sides_or_persons():
    (colors,) = Scene("", LAYOUT, np.zeros((1, 1, 20, 3))).colors()
    names = ("left_hand", "right_hand", "head")
    assert len({colors[LAYOUT.joints.index(name)] for name in names}) == 3
    first, second = Scene("", LAYOUT, np.zeros((2, 1, 20, 3))).colors()
    assert len(set(first)) == len(set(second)) == 1
    assert first != second


def test_best_classes_have_the_highest_peaks():
    values = np.array([[0.1, 0.8, 0.1], [np.nan] * 3, [0.9, 0.05, 0.05]])
    scores = ScoresOverTime(np.arange(3), values, ("a", "b", "c"))
    assert scores.best(2) == [0, 1]


def test_read_sample_detects_the_layout(tmp_path):
    path = str(write(tmp_path / "a.pkl", joints=20))
    sample, layout, _ = read_sample(path)
    assert sample["frame_dir"] == "sample000"
    assert len(layout.joints) == 20
    assert read_sample(path, "sample007")[0]["frame_dir"] == "sample007"
    with raises("unknown-name", sample="x", file=path):
        read_sample(path, "x")
    with raises("layout", sample="sample000"):
        read_sample(path, layout="coco")


def test_read_sample_reads_the_layout_from_the_meta(tmp_path):
    path = str(write(tmp_path / "a.pkl", joints=4))
    with raises("layout", file="a.pkl", sample=None):
        read_sample(path)
    data = load_annotations(path)
    data["meta"] = {"inward": [(0, 1), (2, 1), (3, 1)], "center": 1}
    save_annotations(data, path)
    assert read_sample(path)[1].inward == ((0, 1), (2, 1), (3, 1))
