"""Small annotation files for tests, in MMAction2's form."""

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
    """Random walks of joints around a class's own pose; two thirds are for training.

    2D layouts (`channels=2`) carry a keypoint_score, as pose estimators give it. With
    `targets`, samples have so many numbers to regress instead of a label: a person's,
    of whom each has three samples in two sessions.
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
    """`annotations(**kwargs)` as a file, its two splits under other names."""
    data = annotations(**kwargs)
    data["split"] = dict(zip(splits, data["split"].values(), strict=True))
    save_annotations(data, path)
    return path


def same(found, expected):
    """Compare values, types, dtypes, and shapes of nested data."""
    if type(found) is not type(expected):
        return False
    if isinstance(expected, dict):
        return found.keys() == expected.keys() and all(
            same(found[key], expected[key]) for key in expected
        )
    if isinstance(expected, (list, tuple)):
        return len(found) == len(expected) and all(map(same, found, expected))
    if isinstance(expected, (np.ndarray, np.generic)):
        return (
            found.dtype == expected.dtype
            and found.shape == expected.shape
            and found.tobytes() == expected.tobytes()
        )
    return repr(found) == repr(expected)


def assert_same(mine, other):
    """Equal to the last bit, whatever a pipeline gives."""
    assert type(mine) is type(other)
    if isinstance(mine, dict):
        assert mine.keys() == other.keys()
        for key in mine:
            assert_same(mine[key], other[key])
    elif isinstance(mine, (list, tuple)):
        assert len(mine) == len(other)
        for one, two in zip(mine, other, strict=True):
            assert_same(one, two)
    elif isinstance(mine, torch.Tensor):
        assert mine.dtype == other.dtype
        assert torch.equal(mine, other)
    elif isinstance(mine, np.ndarray):
        assert mine.dtype == other.dtype
        np.testing.assert_array_equal(mine, other)
    elif hasattr(mine, "to_dict"):  # ActionDataSample
        assert_same(mine.to_dict(), other.to_dict())
    else:
        assert mine == other
