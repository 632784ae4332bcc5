"""Data augmentation of ST-GCN, compared with its formulas frame by frame."""

import math

import numpy as np
import pytest

from msg3d.datasets.transforms import RandomMove2D, RandomWindow


def poses(frames=12, channels=2, seed=0):
    keypoint = np.random.default_rng(seed).normal(size=(2, frames, 5, channels))
    keypoint[1, 3:5] = 0
    return keypoint.astype(np.float32)


def test_move_follows_the_formulas():
    """With a single choice per parameter, the result is deterministic."""
    keypoint = poses(channels=3)
    move = RandomMove2D(degrees=[30], scales=[2.0], shifts=[0.5])
    moved = move({"keypoint": keypoint.copy()})["keypoint"]
    assert moved.dtype == np.float32
    assert move.degrees == [30]
    for index in np.ndindex(2, 12, 5):
        x, y, z = keypoint[index]
        angle, expected = math.radians(30), np.zeros(3)
        if x or y:
            expected[0] = 2 * (math.cos(angle) * x - math.sin(angle) * y) + 0.5
            expected[1] = 2 * (math.sin(angle) * x + math.cos(angle) * y) + 0.5
        expected[2] = z
        np.testing.assert_allclose(moved[index], expected, atol=1e-5)


def test_move_is_linear_in_time():
    """The camera moves linearly between its poses in the first and last frame."""
    keypoint = np.ones((1, 5, 1, 2), dtype=np.float32)
    ends = set()
    for seed in range(300):
        np.random.seed(seed)
        move = RandomMove2D(degrees=[0], scales=[1], shifts=[0, 1])
        moved = move({"keypoint": keypoint})["keypoint"][0, :, 0]
        np.testing.assert_allclose(np.diff(moved, 2, axis=0), 0, atol=1e-6)
        ends.add((*moved[0], *moved[-1]))
    assert len(ends) == 16  # two ends, x and y, two choices each


@pytest.mark.parametrize("length", [5, 12, 20])
def test_window(length):
    keypoint = poses()
    score = np.random.default_rng(1).random((2, 12, 5)).astype(np.float32)
    starts = set()
    for seed in range(80):
        np.random.seed(seed)
        sample = {"keypoint": keypoint, "keypoint_score": score, "total_frames": 12}
        out = RandomWindow(length)(sample)
        assert out["total_frames"] == length
        assert out["keypoint"].shape == (2, length, 5, 2)
        padded = np.zeros((2, 40, 5, 2), dtype=np.float32)
        if length >= 12:
            padded[:, 8:20] = keypoint
            matches = [
                start
                for start in range(8 - (length - 12), 9)
                if np.array_equal(padded[:, start : start + length], out["keypoint"])
            ]
        else:
            matches = [
                start
                for start in range(12 - length + 1)
                if np.array_equal(keypoint[:, start : start + length], out["keypoint"])
            ]
            start = matches[0]
            np.testing.assert_array_equal(
                out["keypoint_score"], score[:, start : start + length]
            )
        assert len(matches) == 1
        starts.add(matches[0])
    assert len(starts) == abs(12 - length) + 1
