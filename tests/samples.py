"""Small annotation files for tests, in MMAction2's format."""

import numpy as np
import torch

from msg3d.annotations.files import save_annotations


def annotations(
    joints=20,
    channels=3,
    persons=1,
    classes=4,
    samples=12,
    frames=(9, 24),
    seed=0,
    targets=0,
):
    """Generate random walks around one pose per class; two thirds are for training.

    2D samples (`channels=2`) have a keypoint_score, as from pose estimators. If `targets`
    is not 0, samples have this number of regression targets instead of a label. Targets
    depend on the person; each person has three samples in two sessions.
    """
    rng = np.random.default_rng(seed)
    poses = rng.normal(size=(classes, 1, 1, joints, channels))
    entries = []
    for number in range(samples):
        label, length = number % classes, int(rng.integers(*frames))
        shape = (persons, length, joints, channels)
        steps = rng.normal(scale=0.05, size=shape).cumsum(axis=1)
        entry = {
            "frame_dir": f"sample{number:03d}",
            "label": label,
            "total_frames": length,
            "keypoint": (poses[label] + steps).astype(np.float32),
        }
        if channels == 2:
            entry["img_shape"] = entry["original_shape"] = (480, 640)
            entry["keypoint"] = entry["keypoint"] * 50 + 300
            entry["keypoint_score"] = np.ones(shape[:3], dtype=np.float32)
        if targets:
            del entry["label"]
            person = number // 3
            entry.update(
                targets=np.arange(targets, dtype=np.float32) + person,
                person_id=str(person),
                session=f"session{number % 3 // 2}",
            )
        entries.append(entry)
    names = [entry["frame_dir"] for entry in entries]
    cut = 2 * samples // 3
    return {"split": {"train": names[:cut], "val": names[cut:]}, "annotations": entries}


def write(path, splits=("train", "val"), **kwargs):
    """Write `annotations(**kwargs)` to a file, with other names of the splits."""
    data = annotations(**kwargs)
    data["split"] = dict(zip(splits, data["split"].values(), strict=True))
    save_annotations(data, path)
    return path


def same(actual, expected):
    """Compare values, types, dtypes, and shapes of nested data."""
    if type(actual) is not type(expected):
        return False
    if isinstance(expected, dict):
        return actual.keys() == expected.keys() and all(
            same(actual[key], expected[key]) for key in expected
        )
    if isinstance(expected, (list, tuple)):
        return len(actual) == len(expected) and all(map(same, actual, expected))
    if isinstance(expected, (np.ndarray, np.generic)):
        return (
            actual.dtype == expected.dtype
            and actual.shape == expected.shape
            and actual.tobytes() == expected.tobytes()
        )
    return repr(actual) == repr(expected)


def assert_same(actual, expected):
    """Check that nested results of pipelines are equal bit for bit."""
    assert type(actual) is type(expected)
    if isinstance(actual, dict):
        assert actual.keys() == expected.keys()
        for key in actual:
            assert_same(actual[key], expected[key])
    elif isinstance(actual, (list, tuple)):
        assert len(actual) == len(expected)
        for pair in zip(actual, expected, strict=True):
            assert_same(*pair)
    elif isinstance(actual, torch.Tensor):
        assert actual.dtype == expected.dtype
        assert torch.equal(actual, expected)
    elif isinstance(actual, np.ndarray):
        assert actual.dtype == expected.dtype
        np.testing.assert_array_equal(actual, expected)
    elif hasattr(actual, "to_dict"):  # ActionDataSample
        assert_same(actual.to_dict(), expected.to_dict())
    else:
        assert actual == expected
