"""Tests of tracking: each row contains the same person in all frames."""

import numpy as np
import pytest

from errors import raises
from msg3d.preprocessing.tracks import (
    MAX_GAP,
    MAX_NUMBER_GAP,
    Observations,
    frame_positions,
    join_tracks,
)


def observe(persons, shuffle=None, identities=None):
    """Return observations of persons [M, T, V, 2] that are NaN in frames when absent."""
    people, frames = np.nonzero(~np.isnan(persons).any(axis=(2, 3)))
    order = np.lexsort((people, frames))
    if shuffle is not None:
        order = np.random.default_rng(shuffle).permutation(order)
    people, frames = people[order], frames[order]
    poses = persons[people, frames].astype(np.float32)
    identities = [None if identities is None else identities[m] for m in people]
    scores = np.ones(poses.shape[:2], np.float32)
    return Observations(frames, poses, scores, identities)


def walkers(seed=0, persons=3, frames=40):
    """Persons of 100 pixels height who move randomly by a few pixels per frame."""
    rng = np.random.default_rng(seed)
    shape = rng.uniform(0, [40, 100], size=(persons, 1, 17, 2))
    start = np.array([[100 + 200 * m, 200] for m in range(persons)])
    steps = rng.uniform(-6, 6, size=(persons, frames, 1, 2))
    return shape + start[:, None, None] + steps


@pytest.mark.parametrize("seed", range(5))
def test_persons_are_matched(seed):
    persons = walkers(seed)
    keypoint, score, others = join_tracks(observe(persons, shuffle=seed), 40, 5)
    assert keypoint.shape == (3, 40, 17, 2)
    assert keypoint.dtype == np.float32
    assert others == 0
    assert (score == 1).all()
    rows = keypoint[:, 0, :, 0].mean(axis=1).argsort()
    np.testing.assert_array_equal(keypoint[rows], persons.astype(np.float32))


def test_crossing_persons_keep_their_rows():
    """Positions of crossing persons are ambiguous, but their poses are not."""
    frames = np.arange(41)
    body = np.random.default_rng(0).uniform(0, [40, 100], size=(2, 1, 17, 2))
    x = np.stack([300 + 4.0 * frames, 460 - 4.0 * frames])
    persons = body + np.stack([x, np.full_like(x, 200)], axis=-1)[:, :, None]
    keypoint, _, _ = join_tracks(observe(persons, shuffle=1), 41, 5)
    assert keypoint.shape[0] == 2
    first = keypoint[:, 0, :, 0].mean(axis=1).argsort()
    np.testing.assert_array_equal(keypoint[first], persons.astype(np.float32))


@pytest.mark.parametrize(("gap", "rows"), [(MAX_GAP - 1, 1), (MAX_GAP, 2)])
def test_long_gaps_start_a_new_track(gap, rows):
    persons = np.repeat(walkers(persons=1, frames=1), gap + 6, axis=1)
    persons[0, 3 : 3 + gap] = np.nan
    keypoint, score, _ = join_tracks(observe(persons), gap + 6, 5)
    assert len(keypoint) == rows
    assert not keypoint[:, 3 : 3 + gap].any()
    assert not score[:, 3 : 3 + gap].any()


def test_jumps_start_a_new_track():
    persons = np.repeat(walkers(persons=1, frames=1), 6, axis=1)
    height = np.ptp(persons[0, 0], axis=0).max()
    near, far = persons.copy(), persons.copy()
    near[0, 3:, :, 0] += 0.49 * height
    far[0, 3:, :, 0] += 0.51 * height
    assert len(join_tracks(observe(near), 6, 5)[0]) == 1
    assert len(join_tracks(observe(far), 6, 5)[0]) == 2


def test_poses_without_common_joints_are_not_matched():
    persons = np.repeat(walkers(persons=1, frames=1), 2, axis=1)
    observations = observe(persons)
    observations.scores[0, :8] = observations.scores[1, 8:] = 0
    assert len(join_tracks(observations, 2, 5)[0]) == 2
    observations.scores[0, :8] = 1
    assert len(join_tracks(observations, 2, 5)[0]) == 1


@pytest.mark.parametrize("first", [0, 1])
def test_distance_is_relative_to_the_larger_person(first):
    """In one of the frames, only two close joints of a person are present."""
    pose = np.zeros((17, 2))
    pose[:, 1] = np.linspace(0, 160, 17)
    persons = np.stack([pose, pose + np.array([30, 0])])[None] + 100
    observations = observe(persons)
    observations.scores[first, 2:] = 0
    assert len(join_tracks(observations, 2, 5)[0]) == 1


def test_persons_without_identities_are_matched():
    persons = walkers()
    persons[0, 20:] += 500  # a jump of a person with an identity
    observations = observe(persons, shuffle=3, identities=[9, None, None])
    keypoint, _, _ = join_tracks(observations, 40, 5)
    assert len(keypoint) == 3
    rows = keypoint[:, 0, :, 0].mean(axis=1).argsort()
    np.testing.assert_array_equal(keypoint[rows], persons.astype(np.float32))


def test_equal_identities_of_all_persons_are_ignored():
    observations = observe(walkers(), identities=[0, 0, 0])
    assert len(join_tracks(observations, 40, 5)[0]) == 3


def test_duplicate_identities_in_a_frame_are_rejected():
    observations = observe(walkers(), identities=[4, 7, 4])
    with raises("persons"):
        join_tracks(observations, 40, 5)


def test_rows_are_sorted_by_score_and_other_persons_are_counted():
    persons = walkers(persons=4)
    persons[2, 10:] = np.nan  # present for a short time
    observations = observe(persons, identities=[0, 1, 2, 3])
    weight = np.array([0.2, 0.9, 1.0, 0.5], np.float32)
    scores = observations.scores * weight[observations.identities][:, None]
    observations = observations._replace(scores=scores)
    keypoint, score, others = join_tracks(observations, 40, 3)
    np.testing.assert_array_equal(
        keypoint, np.nan_to_num(persons[[1, 3, 2]]).astype(np.float32)
    )
    assert others == 1
    np.testing.assert_allclose(score[:, 0, 0], [0.9, 0.5, 1.0])


def test_absent_joints_are_zero():
    observations = observe(walkers(persons=1))
    observations.scores[:, 4] = 0
    observations.poses[:, 5] = 0
    keypoint, score, _ = join_tracks(observations, 40, 5)
    assert not keypoint[:, :, [4, 5]].any()
    assert not score[:, :, [4, 5]].any()
    assert keypoint[:, :, 6].all()
    assert score[:, :, 6].all()


def test_no_person():
    empty = Observations(np.zeros(0, int), np.zeros((0, 17, 2)), np.zeros((0, 17)), [])
    keypoint, score, others = join_tracks(empty, 7, 5)
    assert keypoint.shape == (0, 7, 17, 2)
    assert score.shape == (0, 7, 17)
    assert others == 0


def test_frame_positions():
    positions, length = frame_positions([12, 10, 10, 15])
    assert positions.tolist() == [2, 0, 0, 5]
    assert length == 6
    positions, length = frame_positions([3, 5], first=1)
    assert positions.tolist() == [2, 4]
    assert length == 5
    frame_positions([0, MAX_NUMBER_GAP])
    for numbers in ([0, MAX_NUMBER_GAP + 1], [1, 10**30]):
        with raises("frame-numbers"):
            frame_positions(numbers)
    with raises("frame-numbers"):
        frame_positions([9000], first=1)
