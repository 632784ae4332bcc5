"""Leak detection by hashes, compared with a plain comparison of bytes."""

import numpy as np
import pytest

from msg3d.annotations.leaks import FrameHashes, find_leaks


def plain_leaks(keypoints, train, val):
    """Find leaks by comparing bytes."""
    arrays = [keypoints[name] for name in train]
    frames = {frame.tobytes() for array in arrays for frame in array.swapaxes(0, 1)}
    result = {"identical": [], "mostly": [], "partly": []}
    for name in val:
        tested = keypoints[name]
        shared = sum(
            frame.any() and frame.tobytes() in frames for frame in tested.swapaxes(0, 1)
        )
        if shared and any(np.array_equal(tested, array) for array in arrays):
            result["identical"].append(name)
        if 2 * shared > tested.shape[1]:
            result["mostly"].append(name)
        if shared:
            result["partly"].append(name)
    return result


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int32])
def test_leaks_equal_plain_comparison(dtype):
    rng = np.random.default_rng(0)
    keypoints = {}
    for number in range(60):
        shape = (2, int(rng.integers(1, 12)), 4, 3)
        # Few different values, so that frames are shared; some frames are empty.
        frames = rng.integers(1, 40, shape[1]) * (rng.random(shape[1]) < 0.9)
        keypoints[f"s{number}"] = np.broadcast_to(
            frames[None, :, None, None], shape
        ).astype(dtype)
    names = list(keypoints)
    keypoints["copy"] = np.asfortranarray(keypoints["s3"])
    train, val = names[:5], [*names[5:], "copy"]
    leaks = find_leaks(keypoints, train, val)
    assert leaks == plain_leaks(keypoints, train, val)
    assert leaks["identical"][-1] == "copy"
    assert len(leaks["partly"]) < len(val)
    assert find_leaks(keypoints, [], val) == {
        "identical": [],
        "mostly": [],
        "partly": [],
    }


def test_leaks_refer_to_the_training_sequence():
    rng = np.random.default_rng(0)
    keypoints = {name: rng.normal(size=(1, 9, 4, 3)) for name in "abcd"}
    keypoints["c"][:, 2:8] = keypoints["b"][:, :6]
    keypoints["d"] = keypoints["a"].copy()
    leaks = FrameHashes(keypoints).leaks(["a", "b"], ["c", "d"])
    assert [
        (leak.tested, leak.trained, leak.shared, leak.identical) for leak in leaks
    ] == [
        ("c", "b", 6, False),
        ("d", "a", 9, True),
    ]


def test_equal_hashes_alone_are_not_reported(monkeypatch):
    rng = np.random.default_rng(0)
    keypoints = {name: rng.normal(size=(1, 9, 4, 3)) for name in "abc"}
    keypoints["c"] = keypoints["a"].copy()
    hashes = FrameHashes(keypoints)
    monkeypatch.setattr(FrameHashes, "of", lambda self, name: np.ones(9, np.int64))
    assert hashes.groups("abc") == [["a", "c"]]
    leaks = hashes.leaks(["a"], ["b", "c"])
    assert [leak.identical for leak in leaks] == [False, True]
