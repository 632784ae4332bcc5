"""Persons and pairs of a scene, against distances computed by hand."""

import numpy as np

from msg3d.apis.groups import Group, closest_pairs, everybody, single_persons


def square(x, size=2.0, frames=4):
    """A person of four joints about (x, 10), `size` broad and high, [T, 4, 2]."""
    corners = np.array([(-1, -1), (-1, 1), (1, -1), (1, 1)]) * size / 2 + (x, 10)
    return np.broadcast_to(corners, (frames, 4, 2)).copy()


def test_closest_first_in_units_of_the_larger_person():
    """Centres 3, 4 and 7 apart; sizes 2, 2 and 8: 3/2, 4/8 and 7/8."""
    scene = np.stack([square(1), square(4), square(8, size=8)])
    groups = closest_pairs(scene, most=9)
    assert [one.rows for one in groups] == [(1, 2), (0, 2), (0, 1)]
    assert closest_pairs(scene, most=1) == groups[:1]


def test_a_pair_is_the_frames_with_both():
    scene = np.stack([square(1, frames=6), square(4, frames=6), square(5, frames=6)])
    scene[0, 4:] = 0
    scene[1, :2] = 0
    scene[2, :4] = 0
    assert closest_pairs(scene, 9) == [Group((1, 2), 4, 6), Group((0, 1), 2, 4)]
    spans = [(one.start, one.stop) for one in single_persons(scene)]
    assert spans == [(0, 4), (2, 6), (4, 6)]


def test_a_person_who_is_never_seen_is_in_no_group():
    scene = np.stack([square(1), 0 * square(2), square(4)])
    assert [one.rows for one in single_persons(scene)] == [(0,), (2,)]
    assert [one.rows for one in closest_pairs(scene, 9)] == [(0, 2)]
    assert everybody(scene) == Group((0, 1, 2), 0, 4)


def test_absent_joints_do_not_draw_a_person_to_the_origin():
    """Without two joints a square is a line of the same height, 1 to the left."""
    scene = np.stack([square(10), square(16), square(3)])
    scene[1, :, 2:] = 0  # centre 15: 5 apart of size 2; else 8 of size 17
    (best, *_) = closest_pairs(scene, 9)
    assert best.rows == (0, 1)


def test_what_a_group_keeps():
    scene = np.stack([square(1), square(4), square(8)])
    sample = {
        "keypoint": scene,
        "keypoint_score": scene[..., 0],
        "total_frames": 4,
        "key": 1,
    }
    cut = Group((0, 2), 1, 3).of(sample)
    np.testing.assert_array_equal(cut["keypoint"], scene[[0, 2], 1:3])
    np.testing.assert_array_equal(cut["keypoint_score"], scene[[0, 2], 1:3, :, 0])
    assert (cut["total_frames"], cut["key"]) == (2, 1)
    cut["keypoint"][:] = 0
    assert scene.any((-2, -1)).all()
    assert sample["total_frames"] == 4
