"""Persons and pairs in a scene, compared with distances computed by hand."""

import numpy as np

from msg3d.apis.groups import Group, all_persons, closest_pairs, single_persons


def square(x, size=2.0, frames=4):
    """Return a person of four joints around (x, 10), `size` wide and tall, [T, 4, 2]."""
    corners = np.array([(-1, -1), (-1, 1), (1, -1), (1, 1)]) * size / 2 + (x, 10)
    return np.broadcast_to(corners, (frames, 4, 2)).copy()


def test_distance_is_relative_to_the_larger_person():
    """Distances of centers 3, 4, 7; sizes 2, 2, 8; relative distances 3/2, 4/8, 7/8."""
    scene = np.stack([square(1), square(4), square(8, size=8)])
    groups = closest_pairs(scene, max_pairs=9)
    assert [group.rows for group in groups] == [(1, 2), (0, 2), (0, 1)]
    assert closest_pairs(scene, max_pairs=1) == groups[:1]


def test_pairs_span_common_frames():
    scene = np.stack([square(1, frames=6), square(4, frames=6), square(5, frames=6)])
    scene[0, 4:] = 0
    scene[1, :2] = 0
    scene[2, :4] = 0
    assert closest_pairs(scene, 9) == [Group((1, 2), 4, 6), Group((0, 1), 2, 4)]
    spans = [(group.start, group.stop) for group in single_persons(scene)]
    assert spans == [(0, 4), (2, 6), (4, 6)]


def test_absent_persons_are_in_no_group():
    scene = np.stack([square(1), 0 * square(2), square(4)])
    assert [group.rows for group in single_persons(scene)] == [(0,), (2,)]
    assert [group.rows for group in closest_pairs(scene, 9)] == [(0, 2)]
    assert all_persons(scene) == Group((0, 1, 2), 0, 4)


def test_absent_joints_are_ignored():
    """Without two joints, a square is a line of the same height, 1 to the left."""
    scene = np.stack([square(10), square(16), square(3)])
    # Center 15: distance 5, size 2. With zeros as positions: distance 8, size 17.
    scene[1, :, 2:] = 0
    (best, *_) = closest_pairs(scene, 9)
    assert best.rows == (0, 1)


def test_crop():
    scene = np.stack([square(1), square(4), square(8)])
    sample = {
        "keypoint": scene,
        "keypoint_score": scene[..., 0],
        "total_frames": 4,
        "key": 1,
    }
    cropped = Group((0, 2), 1, 3).crop(sample)
    np.testing.assert_array_equal(cropped["keypoint"], scene[[0, 2], 1:3])
    np.testing.assert_array_equal(cropped["keypoint_score"], scene[[0, 2], 1:3, :, 0])
    assert (cropped["total_frames"], cropped["key"]) == (2, 1)
    cropped["keypoint"][:] = 0
    assert scene.any((-2, -1)).all()
    assert sample["total_frames"] == 4
