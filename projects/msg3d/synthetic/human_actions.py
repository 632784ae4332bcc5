"""Human actions as key poses, connected by minimum-jerk movements.

See Flash & Hogan, "The coordination of arm movements", J. Neurosci. 5, 1985. Angles are
those of `human_body.ANGLES`, in degrees. Times of key poses range from 0 (start of the
action) to 1 (end).
"""

from collections.abc import Callable

import numpy as np

from .human_body import ANGLES, COLUMN

Pose = dict[str, float]
Keys = tuple[tuple[float, Pose], ...]

# Angles that change sign when mirrored.
_CROSSING = ("turn", "bend", "twist", "look")


def minimum_jerk(phase: np.ndarray) -> np.ndarray:
    """Return the completed fraction of a point-to-point movement at `phase`, both 0 to 1.

    The fraction 10 p^3 - 15 p^4 + 6 p^5 gives the smoothest movement from rest to rest
    (Flash & Hogan).
    """
    phase = np.clip(phase, 0, 1)
    return phase**3 * (10 - 15 * phase + 6 * phase**2)


def move(times: np.ndarray, poses: np.ndarray, phase: np.ndarray) -> np.ndarray:
    """Interpolate joint angles between key poses.

    Each movement starts before the previous movement ends, and overlapping movements are
    added (Flash & Henis, J. Cogn. Neurosci. 3, 1991). Therefore the body does not stop at
    each pose. Outside of 0 to 1, the first or last pose is returned.

    Args:
        times: times of the key poses, [K], ascending from 0 to 1.
        poses: joint angles of the key poses, [K, 24], degrees.
        phase: phase of the action at each frame, [T], from 0 to 1.

    Returns:
        Joint angles, [T, 24], degrees.
    """
    overlap = 0.25 * np.diff(times)
    starts = np.maximum(times[:-1] - overlap, 0)
    ends = np.minimum(times[1:] + overlap, 1)
    share = minimum_jerk((phase[:, None] - starts) / (ends - starts))  # (T, K - 1)
    return poses[0] + np.einsum("tk,kd->td", share, np.diff(poses, axis=0))


def as_arrays(keys: Keys) -> tuple[np.ndarray, np.ndarray]:
    """Convert key poses to times [K] and angles [K, 24] in degrees."""
    poses = np.zeros((len(keys), len(ANGLES)))
    for row, (_, pose) in enumerate(keys):
        for name, degrees in pose.items():
            poses[row, COLUMN[name]] = degrees
    return np.array([time for time, _ in keys]), poses


def mirrored(keys: Keys) -> Keys:
    """Return the key poses of the same action with left and right exchanged."""
    swap = {"left": "right", "right": "left"}

    def other(name: str) -> str:
        side, _, rest = name.partition("_")
        return f"{swap[side]}_{rest}" if rest else name

    return tuple(
        (time, {other(n): -d if n in _CROSSING else d for n, d in pose.items()})
        for time, pose in keys
    )


def reversed_in_time(keys: Keys) -> Keys:
    """Return the key poses of the same action played backwards."""
    return tuple((1 - time, pose) for time, pose in reversed(keys))


def _both(**pose: float) -> Pose:
    return {f"{side}_{n}": d for side in ("left", "right") for n, d in pose.items()}


def _raise_right_arm(cycles: int) -> Keys:
    up: Pose = {
        "right_elevation": 125,
        "right_plane": 45,
        "right_rotation": 30,
        "right_elbow": 25,
    }
    return ((0, {}), (0.35, up), (0.65, up), (1, {}))


def _raise_left_arm(cycles: int) -> Keys:
    return mirrored(_raise_right_arm(cycles))


def _wave(cycles: int) -> Keys:
    up: Pose = {"right_elevation": 110, "right_plane": 50, "right_elbow": 60}
    times = np.linspace(0.25, 0.75, 2 * cycles + 1)
    swing: list[tuple[float, Pose]] = [
        (float(time), dict(up, right_rotation=45 + (25 if beat % 2 else -15)))
        for beat, time in enumerate(times)
    ]
    return ((0, {}), *swing, (1, {}))


def _throw(cycles: int) -> Keys:
    back: Pose = {
        "right_elevation": 105,
        "right_plane": 80,
        "right_rotation": 75,
        "right_elbow": 95,
    }
    front: Pose = {"right_elevation": 85, "right_plane": 5, "right_elbow": 20}
    through: Pose = {"right_elevation": 35, "right_plane": 0, "right_elbow": 30}
    return (
        (0, {}),
        (0.45, dict(back, twist=-25)),
        (0.6, dict(front, twist=20, trunk=12)),
        (0.72, dict(through, twist=15, trunk=12)),
        (1, {}),
    )


def _push(cycles: int) -> Keys:
    near = _both(elevation=20, plane=20, elbow=120)
    far = _both(elevation=80, plane=5, elbow=12)
    return ((0, {}), (0.3, near), (0.42, near), (0.62, dict(far, trunk=10)), (1, {}))


def _pull(cycles: int) -> Keys:
    return reversed_in_time(_push(cycles))


def _sit_down(cycles: int) -> Keys:
    seated = _both(hip=85, knee=85, elevation=22, elbow=45)
    lowering = _both(hip=52, knee=58, elevation=20, elbow=20)
    return ((0, {}), (0.5, dict(lowering, trunk=35)), (1, dict(seated, trunk=6)))


def _stand_up(cycles: int) -> Keys:
    return reversed_in_time(_sit_down(cycles))


def _kick(cycles: int) -> Keys:
    return (
        (0, {}),
        (0.38, {"right_hip": -20, "right_knee": 60, "trunk": 6, "left_elevation": 15}),
        (0.55, {"right_hip": 65, "right_knee": 8, "trunk": -8, "left_elevation": 30}),
        (0.7, {"right_hip": 35, "right_knee": 45, "left_elevation": 10}),
        (1, {}),
    )


def _march(cycles: int) -> Keys:
    right: Pose = {
        "right_hip": 60,
        "right_knee": 70,
        "left_elevation": 30,
        "left_elbow": 30,
    }
    left = dict(mirrored(((0, right),))[0][1])
    times = np.linspace(0, 1, 4 * cycles + 1)
    beats: tuple[Pose, ...] = ({}, right, {}, left)
    return tuple((float(t), beats[beat % 4]) for beat, t in enumerate(times))


# The argument is the number of cycles, for actions that repeat a movement.
ACTIONS: dict[str, Callable[[int], Keys]] = {
    "raise_left_arm": _raise_left_arm,
    "raise_right_arm": _raise_right_arm,
    "wave": _wave,
    "throw": _throw,
    "push": _push,
    "pull": _pull,
    "sit_down": _sit_down,
    "stand_up": _stand_up,
    "kick": _kick,
    "march": _march,
}
# Performed with the dominant arm or leg. Other actions are the same for all people.
HANDED = ("wave", "throw", "kick", "march")
