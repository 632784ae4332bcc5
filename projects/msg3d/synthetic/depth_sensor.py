"""Simulated depth sensor with a random view, noise, and lost joints."""

import numpy as np

from ..skeletons.rotation import rotation

# Joints that a Kinect often loses: elbow to hand and knee to foot.
_LOSABLE = (5, 6, 7, 9, 10, 11, 13, 14, 15, 17, 18, 19)
# Noise grows from the trunk to the hands and feet.
_NOISE_SHARE = np.array([0.7] * 4 + [0.8, 1, 1.2, 1.4] * 4)


def record(
    joints: np.ndarray,
    rng: np.random.Generator,
    view: float = 60.0,
    white_noise: float = 0.012,
    drift: float = 0.015,
    lost: float = 0.06,
) -> np.ndarray:
    """Simulate the recording of a person by a sensor in front of them.

    Args:
        joints: joint positions, [T, V, 3], meters, in the body frame.
        rng: random number generator.
        view, white_noise, drift, lost: see `make_synthetic_actions`.

    Returns:
        Joint positions, [T, V, 3], meters, with x to the sensor's left, y up, and z away
        from the sensor. Lost joints are zero.
    """
    turn = 180 + rng.uniform(-view, view)
    tilt, roll = rng.normal(0, 4), rng.normal(0, 2)
    recorded = joints @ (rotation(2, roll) @ rotation(0, tilt) @ rotation(1, turn)).T
    position = rng.uniform(-0.6, 0.6), rng.uniform(-1.1, -0.7), rng.uniform(2, 3.5)
    recorded = recorded + position
    recorded = recorded + _sensor_noise(rng, recorded.shape, white_noise, drift)
    for joint in _LOSABLE:
        if rng.random() < lost:
            length = int(rng.integers(3, max(4, len(recorded) // 2)))
            start = int(rng.integers(0, len(recorded)))
            # All joints up to the end of the limb are lost too.
            last = next(end for end in (7, 11, 15, 19) if joint <= end)
            recorded[start : start + length, joint : last + 1] = 0
    return recorded


def _sensor_noise(
    rng: np.random.Generator, shape: tuple[int, ...], white: float, drift: float
) -> np.ndarray:
    """Return white noise plus first-order autoregressive noise, meters."""
    noise: np.ndarray = rng.normal(0, white, shape)
    correlation = np.exp(-1 / 8)
    step = drift * np.sqrt(1 - correlation**2)
    error = rng.normal(0, drift, shape[1:])
    for frame in range(shape[0]):
        noise[frame] += error
        error = correlation * error + rng.normal(0, step, shape[1:])
    return noise * _NOISE_SHARE[:, None]
