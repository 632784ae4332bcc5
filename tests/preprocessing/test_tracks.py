"""Persons frame by frame become rows: the same person in the same row throughout."""

import numpy as np
import pytest

from errors import raises
from msg3d.preprocessing.tracks import (
    LARGEST_GAP,
    PATIENCE,
    Observations,
    frame_positions,
    join_tracks,
)


def observed(persons, shuffle=None, identities=None):
    """Observations of [M, T, V, 2] with NaN where a person is away, in mixed order."""
    people, frames = np.nonzero(~np.isnan(persons).any(axis=(2, 3)))
    order = np.lexsort((people, frames))
    if shuffle is not None:
        order = np.random.default_rng(shuffle).permutation(order)
    people, frames = people[order], frames[order]
    poses = persons[people, frames].astype(np.float32)
    named = [None if identities is None else identities[one] for one in people]
    return Observations(frames, poses, np.ones(poses.shape[:2], np.float32), named)


def walkers(seed=0, persons=3, frames=40):
    """Persons 100 pixels tall whose paths cross, and who jitter by some pixels."""
    rng = np.random.default_rng(seed)
    shape = rng.uniform(0, [40, 100], size=(persons, 1, 17, 2))
    start = np.array([[100 + 200 * m, 200] for m in range(persons)])
    steps = rng.uniform(-6, 6, size=(persons, frames, 1, 2))
    return shape + start[:, None, None] + steps


@pytest.mark.parametrize("seed", range(5))
def test_matched_rows_are_persons(seed):
    persons = walkers(seed)
    keypoint, score, without = join_tracks(observed(persons, shuffle=seed), 40, 5)
    assert keypoint.shape == (3, 40, 17, 2)
    assert keypoint.dtype == np.float32
    assert without == 0
    assert (score == 1).all()
    rows = keypoint[:, 0, :, 0].mean(axis=1).argsort()
    np.testing.assert_array_equal(keypoint[rows], persons.astype(np.float32))


def test_crossing_persons_keep_their_rows():
    """Two walk through one another; nearest neighbours would be ambiguous, poses not."""
    frames = np.arange(41)
    body = np.random.default_rng(0).uniform(0, [40, 100], size=(2, 1, 17, 2))
    x = np.stack([300 + 4.0 * frames, 460 - 4.0 * frames])
    persons = body + np.stack([x, np.full_like(x, 200)], axis=-1)[:, :, None]
    keypoint, _, _ = join_tracks(observed(persons, shuffle=1), 41, 5)
    assert keypoint.shape[0] == 2
    first = keypoint[:, 0, :, 0].mean(axis=1).argsort()
    np.testing.assert_array_equal(keypoint[first], persons.astype(np.float32))


@pytest.mark.parametrize(("gap", "rows"), [(PATIENCE - 1, 1), (PATIENCE, 2)])
def test_who_is_away_for_long_comes_back_as_another(gap, rows):
    persons = np.repeat(walkers(persons=1, frames=1), gap + 6, axis=1)
    persons[0, 3 : 3 + gap] = np.nan
    keypoint, score, _ = join_tracks(observed(persons), gap + 6, 5)
    assert len(keypoint) == rows
    assert not keypoint[:, 3 : 3 + gap].any()
    assert not score[:, 3 : 3 + gap].any()


def test_who_jumps_is_another():
    persons = np.repeat(walkers(persons=1, frames=1), 6, axis=1)
    height = np.ptp(persons[0, 0], axis=0).max()
    near, far = persons.copy(), persons.copy()
    near[0, 3:, :, 0] += 0.49 * height
    far[0, 3:, :, 0] += 0.51 * height
    assert len(join_tracks(observed(near), 6, 5)[0]) == 1
    assert len(join_tracks(observed(far), 6, 5)[0]) == 2


def test_who_shares_no_joint_is_another():
    persons = np.repeat(walkers(persons=1, frames=1), 2, axis=1)
    found = observed(persons)
    found.scores[0, :8] = found.scores[1, 8:] = 0
    assert len(join_tracks(found, 2, 5)[0]) == 2
    found.scores[0, :8] = 1
    assert len(join_tracks(found, 2, 5)[0]) == 1


@pytest.mark.parametrize("first", [0, 1])
def test_reach_goes_by_the_larger_of_the_two(first):
    """A person of whom a close pair of joints is left in one of the frames."""
    pose = np.zeros((17, 2))
    pose[:, 1] = np.linspace(0, 160, 17)
    persons = np.stack([pose, pose + np.array([30, 0])])[None] + 100
    found = observed(persons)
    found.scores[first, 2:] = 0
    assert len(join_tracks(found, 2, 5)[0]) == 1


def test_identities_are_used_and_the_rest_is_matched():
    persons = walkers()
    persons[0, 20:] += 500  # a jump that a tracker followed
    found = observed(persons, shuffle=3, identities=[9, None, None])
    keypoint, _, _ = join_tracks(found, 40, 5)
    assert len(keypoint) == 3
    rows = keypoint[:, 0, :, 0].mean(axis=1).argsort()
    np.testing.assert_array_equal(keypoint[rows], persons.astype(np.float32))


def test_one_identity_for_all_is_none():
    found = observed(walkers(), identities=[0, 0, 0])
    assert len(join_tracks(found, 40, 5)[0]) == 3


def test_identity_twice_in_a_frame_is_refused():
    found = observed(walkers(), identities=[4, 7, 4])
    with raises("persons"):
        join_tracks(found, 40, 5)


def test_rows_are_the_surest_first_and_the_rest_is_counted():
    persons = walkers(persons=4)
    persons[2, 10:] = np.nan  # seen for a short time
    found = observed(persons, identities=[0, 1, 2, 3])
    weight = np.array([0.2, 0.9, 1.0, 0.5])
    scores = found.scores * weight[found.identities][:, None].astype(np.float32)
    keypoint, score, without = join_tracks(found._replace(scores=scores), 40, 3)
    np.testing.assert_array_equal(
        keypoint, np.nan_to_num(persons[[1, 3, 2]]).astype(np.float32)
    )
    assert without == 1
    np.testing.assert_allclose(score[:, 0, 0], [0.9, 0.5, 1.0])


def test_absent_joints_are_zero_in_both():
    found = observed(walkers(persons=1))
    found.scores[:, 4] = 0
    found.poses[:, 5] = 0
    keypoint, score, _ = join_tracks(found, 40, 5)
    assert not keypoint[:, :, [4, 5]].any()
    assert not score[:, :, [4, 5]].any()
    assert keypoint[:, :, 6].all()
    assert score[:, :, 6].all()


def test_nobody():
    empty = Observations(np.zeros(0, int), np.zeros((0, 17, 2)), np.zeros((0, 17)), [])
    keypoint, score, without = join_tracks(empty, 7, 5)
    assert keypoint.shape == (0, 7, 17, 2)
    assert score.shape == (0, 7, 17)
    assert without == 0


def test_frame_positions():
    places, length = frame_positions([12, 10, 10, 15])
    assert places.tolist() == [2, 0, 0, 5]
    assert length == 6
    places, length = frame_positions([3, 5], first=1)
    assert places.tolist() == [2, 4]
    assert length == 5
    frame_positions([0, LARGEST_GAP])
    for numbers in ([0, LARGEST_GAP + 1], [1, 10**30]):
        with raises("frame-numbers"):
            frame_positions(numbers)
    with raises("frame-numbers"):
        frame_positions([9000], first=1)
