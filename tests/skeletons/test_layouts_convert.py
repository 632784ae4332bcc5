"""Conversion of layouts, compared with joint maps written by hand."""

import numpy as np
import pytest
from mmaction.registry import TRANSFORMS

from conftest import REPOSITORY
from errors import raises
from msg3d.annotations.files import load_annotations
from msg3d.errors import ConfigError
from msg3d.skeletons import SKELETONS, convert_layout, skeleton
from msg3d.skeletons.convert import joint_sources

# For each joint of the target: a joint of the source, or several joints for their mean.
BY_HAND = {
    ("coco", "openpose"): (
        [0, (5, 6), 6, 8, 10, 5, 7, 9, 12, 14, 16, 11, 13, 15, 2, 1, 4, 3]
    ),
    ("coco", "h36m17"): (
        [
            (11, 12),
            12,
            14,
            16,
            11,
            13,
            15,
            (5, 6, 11, 12),
            (5, 6),
            0,
            (3, 4),
            5,
            7,
            9,
            6,
            8,
            10,
        ]
    ),
    ("coco", "penn13"): [(3, 4), *range(5, 17)],
    ("openpose", "coco"): [0, 15, 14, 17, 16, 5, 2, 6, 3, 7, 4, 11, 8, 12, 9, 13, 10],
    ("openpose25", "openpose"): [*range(8), *range(9, 19)],
    ("openpose25", "coco"): (
        [0, 16, 15, 18, 17, 5, 2, 6, 3, 7, 4, 12, 9, 13, 10, 14, 11]
    ),
    ("mediapipe33", "coco"): [0, 2, 5, 7, 8, *range(11, 17), *range(23, 29)],
    ("nturgb+d", "kinect20"): [0, 1, 20, *range(3, 20)],
    ("nturgb+d", "kinect25"): [*range(25)],
    ("nturgb+d", "h36m17"): [0, 16, 17, 18, 12, 13, 14, 1, 20, 2, 3, 4, 5, 6, 8, 9, 10],
    ("nturgb+d", "sbu15"): [3, 2, 1, 4, 5, 7, 8, 9, 11, 12, 13, 15, 16, 17, 19],
    ("nturgb+d", "penn13"): [3, 4, 8, 5, 9, 6, 10, 12, 16, 13, 17, 14, 18],
    ("kinect20", "sbu15"): [3, 2, 1, 4, 5, 7, 8, 9, 11, 12, 13, 15, 16, 17, 19],
    ("kinect20", "penn13"): [3, 4, 8, 5, 9, 6, 10, 12, 16, 13, 17, 14, 18],
    ("smpl24", "h36m17"): (
        [0, 2, 5, 8, 1, 4, 7, 6, (16, 17), 12, 15, 16, 18, 20, 17, 19, 21]
    ),
    ("smpl24", "kinect20"): (
        [0, 6, (16, 17), 15, 16, 18, 20, 22, 17, 19, 21, 23, 1, 4, 7, 10, 2, 5, 8, 11]
    ),
    ("h36m17", "penn13"): [10, 11, 14, 12, 15, 13, 16, 4, 1, 5, 2, 6, 3],
}


def by_hand(keypoint, joints):
    """Convert joint by joint and frame by frame."""
    flat = keypoint.reshape(-1, *keypoint.shape[-2:])
    result = np.zeros((len(flat), len(joints), keypoint.shape[-1]), keypoint.dtype)
    for frame, pose in enumerate(flat):
        for joint, sources in enumerate(joints):
            parts = [pose[source] for source in np.atleast_1d(sources)]
            if all(part.any() for part in parts):
                result[frame, joint] = sum(parts) / len(parts)
    return result.reshape(*keypoint.shape[:-2], *result.shape[1:])


def poses(joints, channels=3, seed=0):
    """Return poses (2, 7, joints, channels) with a sixth of the joints absent."""
    rng = np.random.default_rng(seed)
    keypoint = rng.normal(size=(2, 7, joints, channels)).astype(np.float32)
    keypoint[rng.random(keypoint.shape[:3]) < 1 / 6] = 0
    return keypoint


@pytest.mark.parametrize(("source", "target"), BY_HAND)
@pytest.mark.parametrize("channels", [2, 3])
def test_equals_joint_map(source, target, channels):
    keypoint = poses(len(skeleton(source).joints), channels)
    before = keypoint.copy()
    actual = convert_layout(keypoint, source, target)
    expected = by_hand(keypoint, BY_HAND[source, target])
    assert actual.dtype == np.float32
    np.testing.assert_allclose(actual, expected, atol=1e-6)
    np.testing.assert_array_equal(keypoint, before)


@pytest.mark.parametrize("name", SKELETONS)
def test_same_layout_changes_nothing(name):
    keypoint = poses(len(skeleton(name).joints))
    np.testing.assert_array_equal(convert_layout(keypoint, name, name), keypoint)


@pytest.mark.parametrize("source", SKELETONS)
@pytest.mark.parametrize("target", SKELETONS)
def test_left_stays_left(source, target):
    """Sources of a left joint are on the left, for all pairs of layouts."""
    side = {"left": 1.0, "right": -1.0}
    sides = [side.get(name.split("_")[0], 2e-20) for name in skeleton(source).joints]
    keypoint = np.array(sides, dtype=np.float32)[:, None]  # (V, 1)
    converted = convert_layout(keypoint, source, target, missing="zero")[:, 0]
    for name, value in zip(skeleton(target).joints, converted, strict=True):
        if abs(value) > 1e-10:
            assert side[name.split("_")[0]] == value, name


def test_mean_with_an_absent_joint_is_absent():
    keypoint = np.ones((1, 1, 17, 2))
    keypoint[0, 0, 5] = 0
    neck = convert_layout(keypoint, "coco", "openpose")[0, 0, 1]
    assert not neck.any()


@pytest.mark.parametrize(
    ("dtype", "expected"), [("f2", "f2"), ("f8", "f8"), ("i4", "f4"), ("u1", "f4")]
)
def test_floating_point_dtype_is_kept(dtype, expected):
    keypoint = np.arange(17 * 2, dtype=dtype).reshape(17, 2)
    converted = convert_layout(keypoint, "coco", "openpose")
    assert converted.dtype == np.dtype(expected)
    np.testing.assert_array_equal(converted[1], [11, 12])  # joints 5 and 6


def test_joints_without_counterpart():
    keypoint = poses(20)
    with raises("layout", ConfigError) as caught:
        convert_layout(keypoint, "kinect20", "coco")
    names = "nose, left_eye, right_eye, left_ear, right_ear"
    for value in ("'coco'", "'kinect20'", names):
        assert value in str(caught.value)
    converted = convert_layout(keypoint, "kinect20", "coco", missing="zero")
    assert not converted[:, :, :5].any()
    order = [4, 8, 5, 9, 6, 10, 12, 16, 13, 17, 14, 18]
    np.testing.assert_array_equal(converted[:, :, 5:], keypoint[:, :, order])


def test_dictionary_requires_joint_names():
    chain = {"num_node": 3, "inward": [(0, 1), (2, 1)], "center": 1}
    named = dict(chain, joints=["nose", "neck", "left_hip"])
    keypoint = poses(17)
    converted = convert_layout(keypoint, "coco", named)
    np.testing.assert_allclose(converted, by_hand(keypoint, [0, (5, 6), 11]), atol=1e-6)
    with raises("layout", ConfigError, field="joints"):
        convert_layout(keypoint, "coco", chain)


@pytest.mark.parametrize(
    ("arguments", "kind", "field", "values"),
    [
        (("coco", "openpose"), "layout", "keypoint", "(2, 7, 20, 3)|V=17|'coco'"),
        (("kinect", "coco"), "layout", None, "'kinect'"),
        (("kinect20", "coco", "nan"), "option", None, "'nan'"),
    ],
)
def test_invalid_arguments(arguments, kind, field, values):
    with raises(kind, field=field) as caught:
        convert_layout(poses(20), *arguments)
    assert all(value in str(caught.value) for value in values.split("|"))


def test_transform_converts_scores():
    keypoint = poses(17, channels=2)
    score = np.random.default_rng(1).uniform(0.1, 1, (2, 7, 17)).astype(np.float32)
    score[0, 0, 5] = 0
    transform = TRANSFORMS.build(
        {"type": "ConvertLayout", "source": "coco", "target": "openpose"}
    )
    results = transform({"keypoint": keypoint, "keypoint_score": score, "label": 3})
    assert results["label"] == 3
    expected = convert_layout(keypoint, "coco", "openpose")
    np.testing.assert_array_equal(results["keypoint"], expected)
    assert results["keypoint_score"].shape == (2, 7, 18)
    assert results["keypoint_score"][0, 0, 1] == 0
    neck = (score[1, :, 5] + score[1, :, 6]) / 2
    np.testing.assert_allclose(results["keypoint_score"][1, :, 1], neck, rtol=1e-6)
    np.testing.assert_array_equal(results["keypoint_score"][..., 2], score[..., 6])
    assert "source='coco', target='openpose'" in repr(transform)


def test_transform_fails_at_construction():
    with raises("layout"):
        TRANSFORMS.build(
            {"type": "ConvertLayout", "source": "kinect20", "target": "coco"}
        )


@pytest.mark.parametrize(
    ("name", "source", "target"),
    [("nw_ucla", "kinect20", "sbu15"), ("msr_action3d", "kinect20", "penn13")],
)
def test_recorded_persons(shared, name, source, target):
    data = load_annotations(str(shared / f"data/{name}.pkl"))
    for sample in data["annotations"][::50]:
        expected = by_hand(sample["keypoint"], BY_HAND[source, target])
        converted = convert_layout(sample["keypoint"], source, target)
        np.testing.assert_array_equal(converted, expected)


def test_recorded_persons_stay_upright(shared):
    """In NW-UCLA, y points up: head above hips, and hips above feet."""
    data = load_annotations(str(shared / "data/nw_ucla.pkl"))
    joints = skeleton("h36m17").joints
    walks = [s for s in data["annotations"] if s["frame_dir"].startswith("a04")]
    for sample in walks[::10]:
        pose = convert_layout(sample["keypoint"], "kinect20", "h36m17", missing="zero")
        mean = dict(zip(joints, np.median(pose[0], axis=0), strict=True))
        heights = [mean[name][1] for name in ("head", "thorax", "spine", "pelvis")]
        assert heights == sorted(heights, reverse=True)
        for side in ("left", "right"):
            leg = [mean[f"{side}_{name}"][1] for name in ("hip", "knee", "ankle")]
            assert leg == sorted(leg, reverse=True)


def test_table_of_conversions_in_the_documentation():
    """Each cell contains the numbers of copied joints and means, and the missing joints."""
    rows = [conversions(source) for source in SKELETONS if "hand" not in source]
    text = (REPOSITORY / "docs/layouts.md").read_text(encoding="utf-8")
    assert "\n".join(rows) in text


def conversions(source):
    cells = []
    for target in ("coco", "nturgb+d", "penn13"):
        sources = joint_sources(source, target, missing="zero")
        copied = sum(len(joints) == 1 for joints in sources)
        means = sum(len(joints) > 1 for joints in sources)
        missing = [
            name.replace("left_", "*_")
            for name, joints in zip(skeleton(target).joints, sources, strict=True)
            if not joints and not name.startswith("right_")
        ]
        cell = f"{copied}"
        cell += f" + {means}" if means else ""
        cell += f"; no {', '.join(missing)}".replace("*", "\\*") if missing else ""
        cells.append("all" if source == target else cell)
    return f"| `{source}` | {' | '.join(cells)} |"
