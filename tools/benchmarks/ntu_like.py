"""Annotations shaped like NTU RGB+D's: what loading them costs, not what they show."""

import numpy as np

FRAMES = 80, 300
ALONE = 3 / 4  # the part of the samples with one person


def ntu_like(samples: int, joints: int, seed: int = 0) -> dict:
    """In MMAction2's form; both splits of the NTU configs hold all samples.

    As in MMAction2's files an absent person has no row in `keypoint`. Sample i is the
    same however many there are.

    Args:
        samples: how many.
        joints: 25 for (x, y, z) in metres, 17 for (x, y) in pixels with scores.
        seed: of all randomness.
    """
    entries = [_sample(number, joints, seed) for number in range(samples)]
    names = [entry["frame_dir"] for entry in entries]
    return dict(split=dict(xsub_train=names, xsub_val=names), annotations=entries)


def _sample(number: int, joints: int, seed: int) -> dict:
    """Joints that walk at random about a random pose."""
    rng = np.random.default_rng([seed, number])
    frames = int(rng.integers(FRAMES[0], FRAMES[1] + 1))
    persons = 1 if number % 4 < 4 * ALONE else 2
    channels = 3 if joints == 25 else 2
    pose = rng.normal(size=(persons, 1, joints, channels))
    steps = rng.normal(scale=0.01, size=(persons, frames, joints, channels))
    keypoint = pose + steps.cumsum(axis=1)
    entry = dict(
        frame_dir=f"sample{number:05d}",
        label=int(rng.integers(60)),
        total_frames=frames,
        keypoint=keypoint.astype(np.float32),
    )
    if channels == 2:
        entry["keypoint"] = entry["keypoint"] * 200 + (960, 540)
        score = rng.uniform(0.3, 1, size=keypoint.shape[:3])
        entry["keypoint_score"] = score.astype(np.float32)
        entry["img_shape"] = entry["original_shape"] = (1080, 1920)
    return entry
