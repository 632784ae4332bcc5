"""Tests of Laban's Efforts against a reference implementation and manual results."""

import numpy as np
import pytest

from errors import raises
from msg3d.datasets.transforms import AlignView, LabanEffort
from msg3d.errors import ConfigError, DataError
from msg3d.preprocessing.laban import EFFORTS
from msg3d.skeletons import skeleton
from plain_laban import plain_effort

# Bones (v1, v2) of the published code, computed as v1 - v2.
UDIVA = (
    "0,3 1,0 2,0 3,6 4,1 5,2 6,9 7,4 8,5 9,9 10,7 11,8 12,9 13,9 14,9 15,12 16,13 "
    "17,14 18,16 19,17 20,18 21,19 22,20 23,21"
)
ARM = {"num_node": 3, "inward": [(1, 0), (2, 1)], "center": 0}


def walk(layout, persons=2, frames=7, seed=0):
    joints = len(skeleton(layout).joints)
    rng = np.random.default_rng(seed)
    pose = rng.normal(scale=0.5, size=(persons, 1, joints, 3))
    steps = rng.normal(scale=0.05, size=(persons, frames, joints, 3)).cumsum(1)
    return (pose + steps).astype(np.float32)


def efforts(keypoint, layout, *names, **options):
    options = dict({"efforts": names or EFFORTS, "coordinates": False}, **options)
    return LabanEffort(layout, **options)({"keypoint": keypoint})["keypoint"]


@pytest.mark.parametrize("layout", ["smpl24", "coco", "kinect20", ARM], ids=str)
@pytest.mark.parametrize("variant", ["published", "corrected"])
@pytest.mark.parametrize("time", ["frame", "joint"])
@pytest.mark.parametrize("frames", [1, 2, 3, 7])
def test_features_match_the_reference(layout, variant, time, frames):
    keypoint = walk(layout, frames=frames)
    options = {"variant": variant, "fps": 15, "time": time}
    actual = efforts(keypoint, layout, coordinates=True, **options)
    bones = skeleton(layout).bones
    assert actual.dtype == np.float32
    assert actual.shape == (*keypoint.shape[:3], 15)
    np.testing.assert_array_equal(actual[..., :3], keypoint)
    for number, effort in enumerate(EFFORTS, start=1):
        expected = [
            plain_effort(person, bones, effort, **options) for person in keypoint
        ]
        part = actual[..., 3 * number : 3 * number + 3]
        # float32 angles near 0 and π are multiplied by fps squared.
        atol = 2e-3 if effort == "flow" else 1e-5
        np.testing.assert_allclose(part, expected, rtol=1e-4, atol=atol, err_msg=effort)


def test_features_of_a_rotating_arm():
    """An arm rotates by 90° from x to y in one frame, and then stops."""
    keypoint = np.zeros((1, 4, 3, 3), np.float32)
    keypoint[0, :, 0] = 1
    keypoint[0, :, 1] = keypoint[0, :, 0] + [[2, 0, 0], [0, 2, 0], [0, 2, 0], [0, 2, 0]]
    keypoint[0, :, 2] = keypoint[0, :, 1]  # a hand of zero length
    features = efforts(keypoint, ARM, variant="corrected", fps=10)[0]
    time, flow, space, weight = np.split(features, 4, axis=-1)
    quarter = np.pi / 2
    np.testing.assert_allclose(
        space[:2, 1], [[0, quarter, quarter], [quarter, 0, quarter]]
    )
    np.testing.assert_allclose(space[:, [0, 2]], quarter)
    np.testing.assert_allclose(
        time[:, 1], [[0, 0, 0], [-20, 20, 0], [0, 0, 0], [0, 0, 0]]
    )
    np.testing.assert_allclose(weight[1, 1], [200, 200, 0])
    # The rotation of 90° per frame ends in the third frame.
    np.testing.assert_allclose(
        flow[2, 1], [-100 * quarter, 100 * quarter, 0], rtol=1e-6
    )
    assert not flow[[0, 1, 3]].any()
    assert not time[0].any()
    assert not weight[0].any()


def test_published_weight_and_bones_match_the_published_code():
    pairs = tuple(tuple(map(int, pair.split(","))) for pair in UDIVA.split())
    assert skeleton("smpl24").bones == pairs
    space, weight = np.split(
        efforts(walk("smpl24"), "smpl24", "space", "weight"), 2, -1
    )
    np.testing.assert_array_equal(space, weight)
    np.testing.assert_allclose(space[:, :, 9], np.pi / 2)


def test_order_and_selection_of_efforts():
    keypoint = walk("coco")
    features = efforts(keypoint, "coco", variant="corrected", fps=30)
    groups = dict(zip(EFFORTS, np.split(features, 4, -1), strict=True))
    for names in (["weight"], ["flow", "time"], ["space", "weight", "flow"]):
        expected = np.concatenate([groups[name] for name in names], -1)
        actual = efforts(keypoint, "coco", *names, variant="corrected", fps=30)
        np.testing.assert_array_equal(actual, expected)
    coordinates = efforts(keypoint, "coco", efforts=(), coordinates=True)
    np.testing.assert_array_equal(coordinates, keypoint)


@pytest.mark.parametrize("variant", ["published", "corrected"])
def test_absent_joints_affect_only_their_own_features(variant):
    keypoint = walk("kinect20", frames=9)
    expected = efforts(keypoint, "kinect20", variant=variant)
    occluded = keypoint.copy()
    occluded[0, 4, 5] = 0  # left elbow, between wrist and shoulder
    occluded[1] = 0
    actual = efforts(occluded, "kinect20", variant=variant)
    assert not actual[1].any()
    time, flow, space, weight = np.split(actual, 4, -1)
    assert not space[0, 4, 5:7].any()
    assert not flow[0, 4:7, 5:7].any()
    assert not time[0, 4:6, 5].any()
    assert time[0, 4, 6].all()
    missing = weight[0, 4, 5:7] if variant == "published" else weight[0, 4:6, 5]
    assert not missing.any()
    unaffected = np.ones(expected.shape[1:3], bool)
    unaffected[4:7, 5:7] = False
    np.testing.assert_array_equal(actual[0][unaffected], expected[0][unaffected])


@pytest.mark.parametrize("variant", ["published", "corrected"])
@pytest.mark.parametrize("time", ["frame", "joint"])
def test_features_of_zeros_are_zero(variant, time):
    keypoint = np.zeros((2, 3, 17, 3), np.float32)
    assert not efforts(keypoint, "coco", variant=variant, time=time).any()


def test_center_at_the_origin_is_present():
    """AlignView moves the center to the origin in every frame with the person."""
    keypoint = walk("smpl24")
    keypoint[1, 3] = 0
    aligned = AlignView(layout="smpl24")({"keypoint": keypoint, "total_frames": 7})
    centered = aligned["keypoint"]
    assert not centered[0, :, 6].any()
    features = efforts(centered, "smpl24", "space", "time")
    bones = skeleton("smpl24").bones
    np.testing.assert_allclose(
        features[0, ..., :3], plain_effort(centered[0], bones, "space"), atol=1e-3
    )
    assert not features[1, 3].any()
    without_center = efforts(centered, "smpl24", "space", center=())
    assert not without_center[0, :, [3, 6]].any()
    assert without_center[0, :, 9].all()


def test_features_of_tiny_bones_are_finite():
    keypoint = walk(ARM, persons=1)
    keypoint[0, :, 1] = keypoint[0, :, 0] + np.float32(1e-7)
    keypoint[0, :, 2] = keypoint[0, :, 1]
    features = efforts(keypoint, ARM)
    assert np.isfinite(features).all()
    space = efforts(keypoint, ARM, "space")
    np.testing.assert_allclose(space[0, :, 2], np.pi / 2)
    keypoint = np.zeros((1, 1, 3, 3), np.float32)
    keypoint[0, 0, :, 0] = [1e-25, 2e-25, 3e-25]
    angles = efforts(keypoint, ARM, "space")[0, 0, 1:]
    np.testing.assert_allclose(angles, [[0, np.pi / 2, np.pi / 2]] * 2, atol=1e-6)


def test_input_is_not_modified():
    keypoint = walk("coco").astype(np.float64)
    before = keypoint.copy()
    LabanEffort("coco")({"keypoint": keypoint})
    np.testing.assert_array_equal(keypoint, before)


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"variant": "fixed"}, "variant"),
        ({"time": "second"}, "time"),
        ({"efforts": ["shape"]}, "efforts"),
        ({"efforts": "time"}, "efforts"),
        ({"efforts": ["time", "time"]}, "efforts"),
        ({"efforts": [], "coordinates": False}, "efforts"),
        ({"fps": 0}, "fps"),
    ],
)
def test_invalid_options(options, field):
    with raises("option", ConfigError, field=field) as error:
        LabanEffort("coco", **options)
    assert repr(options[field]) in str(error.value)
    assert "\n" not in str(error.value)


def test_unknown_layout():
    with raises("layout", ConfigError):
        LabanEffort("smpl")


@pytest.mark.parametrize("shape", [(1, 5, 18, 3), (1, 5, 17, 2)])
def test_invalid_keypoints(shape):
    with raises("layout", DataError, field="keypoint"):
        efforts(np.ones(shape, np.float32), "coco")
