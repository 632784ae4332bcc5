"""Data set of synthetic human actions, for the quickstart and for tests.

People who differ in size, posture, handedness, and style perform ten `human_actions`. A
`depth_sensor` records them with noise and lost joints. Some actions differ only in order
(pull and stand_up are push and sit_down reversed in time), speed, or side, so single
frames do not distinguish them.

Each person and each sample has its own random stream, keyed by person, action, and repeat.
A sample does not depend on the number of other samples.
"""

from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from ..errors import ConfigError
from ..io.progress import progress
from .depth_sensor import record
from .human_actions import ACTIONS, HANDED, as_arrays, minimum_jerk, mirrored, move
from .human_body import ANGLES, BONES, LIMBS, forward_kinematics

# Every fourth person is in the validation split, for any number of people.
_HELD_OUT = 4
_KNEES = [ANGLES.index("left_knee"), ANGLES.index("right_knee")]


@dataclass(frozen=True)
class Person:
    """Properties of a synthetic person, which are the same in all samples.

    Attributes:
        bones: bone vectors, [V, 3], meters.
        posture: joint angles when standing, [24], degrees.
        gain: factors for the amplitudes of joint angles, [actions, 24].
        tempo: factor for the duration of the actions.
        left_handed: whether one-handed actions use the left hand.
    """

    bones: np.ndarray
    posture: np.ndarray
    gain: np.ndarray
    tempo: float
    left_handed: bool


def make_person(seed: int, number: int, style: float = 1.0) -> Person:
    """Draw the random properties of a person.

    Args:
        seed, style: see `make_synthetic_actions`.
        number: number of the person, from 0.
    """
    rng = _stream(seed, number)
    size = np.exp(rng.normal(0, 0.07))
    sides = np.exp(rng.normal(0, 0.05, 4))  # trunk, shoulders and hips, arm, leg
    shares = np.array([0, 0, 0, 0, *[1, 2, 2, 2, 1, 2, 2, 2], *[1, 3, 3, 3] * 2])
    return Person(
        bones=BONES * size * sides[shares][:, None],
        posture=style * rng.normal(0, 5, len(ANGLES)) * _upright(),
        gain=_gain(rng, style * 0.2, len(ACTIONS)),
        tempo=float(np.exp(style * rng.normal(0, 0.15))),
        left_handed=bool(rng.random() < 0.2),
    )


def perform(
    action: str,
    person: Person,
    rng: np.random.Generator,
    frames: tuple[int, int] = (20, 80),
    variation: float = 1.0,
    sway: float = 4.0,
    fidget: float = 0.5,
) -> np.ndarray:
    """Return the noise-free joint positions of a person who performs an action once.

    Args:
        action: key of `human_actions.ACTIONS`.
        person: properties of the person.
        rng: random number generator.
        frames, variation, sway, fidget: see `make_synthetic_actions`.

    Returns:
        Joint positions, [T, V, 3], meters, in the body frame; see `forward_kinematics`.
    """
    number = list(ACTIONS).index(action)
    keys = ACTIONS[action](int(rng.integers(1, 4)))
    if person.left_handed and action in HANDED:
        keys = mirrored(keys)
    times, poses = as_arrays(keys)
    moving = np.abs(poses).max(axis=0)  # (24,)
    gain = person.gain[number] * _gain(rng, variation * 0.15, 1)
    effort = np.exp(variation * rng.normal(0, 0.15))
    poses = poses * gain * effort
    poses += variation * rng.normal(0, 6, poses.shape) * (poses != 0)

    phase = _phase(rng, frames, person.tempo)
    angles = move(times, poses, phase)
    angles += person.posture + _sway(rng, len(phase), sway)
    if rng.random() < fidget:
        _fidget(rng, angles, moving)
    # Prevent sway from bending a knee backwards.
    angles[:, _KNEES] = np.maximum(angles[:, _KNEES], 0)
    return forward_kinematics(angles, person.bones)


def make_synthetic_actions(
    subjects: int = 16,
    repeats: int = 5,
    seed: int = 0,
    *,
    style: float = 1.0,
    variation: float = 1.0,
    sway: float = 4.0,
    fidget: float = 0.5,
    view: float = 60.0,
    white_noise: float = 0.012,
    drift: float = 0.015,
    lost: float = 0.06,
    frames: tuple[int, int] = (20, 80),
) -> dict[str, Any]:
    """Make annotations of synthetic actions, in the format of MMAction2's PoseDataset.

    The defaults define a cross-subject task of moderate difficulty for a small network.
    Larger values of `style`, `variation`, `sway`, `fidget`, `view`, `white_noise`, `drift`,
    and `lost` make it harder. The same arguments give the same bytes on the same machine
    with the same version of NumPy.

    Args:
        subjects: number of people, at least 4. Every fourth is in the validation split.
        repeats: number of samples per action and person.
        seed: random seed.
        style: variation of posture, amplitude, and tempo between people; 0 to disable.
        variation: variation between the repeats of a person; 0 to disable.
        sway: amplitude of the slow movement of the body, degrees.
        fidget: probability of a movement of a limb that the action does not use.
        view: maximum angle about the vertical between person and sensor, degrees.
        white_noise: standard deviation of the sensor's white noise at an elbow, meters.
        drift: standard deviation of noise that is correlated over about 8 frames, meters.
        lost: probability that a joint and the joints beyond it are lost for some frames.
        frames: minimum and maximum length of a sample, at 30 frames per second.

    Returns:
        `dict(split=dict(xsub_train=[ids], xsub_val=[ids]), annotations=[...],
        meta=dict(classes, layout, unit, ...))`. In each annotation, `keypoint` is float32
        [1, T, 20, 3], in meters.

    Raises:
        ConfigError: an argument is out of range (kind `option`).

    Example:
        >>> data = make_synthetic_actions(subjects=4, repeats=1)
        >>> len(data['annotations']), data['annotations'][0]['keypoint'].shape[2:]
        (40, (20, 3))
    """
    acting = {"variation": variation, "sway": sway, "fidget": fidget}
    sensor = {"view": view, "white_noise": white_noise, "drift": drift, "lost": lost}
    _check(subjects, repeats, seed, frames, dict(style=style, **acting, **sensor))
    split: dict[str, list[str]] = {"xsub_train": [], "xsub_val": []}
    annotations = []
    people = [make_person(seed, number, style) for number in range(subjects)]
    numbers = list(product(range(subjects), range(len(ACTIONS)), range(repeats)))
    actions = list(ACTIONS)
    for number, label, repeat in progress(numbers, "recording", unit="sample"):
        rng = _stream(seed, number, label, repeat)
        motion = perform(actions[label], people[number], rng, frames, **acting)
        keypoint = record(motion, rng, **sensor)
        name = f"s{number:03d}_a{label:02d}_e{repeat:03d}"
        held_out = number % _HELD_OUT == _HELD_OUT - 1
        split["xsub_val" if held_out else "xsub_train"].append(name)
        annotations.append(
            {
                "frame_dir": name,
                "label": label,
                "total_frames": len(keypoint),
                "keypoint": keypoint[None].astype(np.float32),  # (1, T, V, 3)
            }
        )
    meta = dict(
        classes=list(ACTIONS),
        layout="kinect20",
        unit="meter",
        frames_per_second=30,
        seed=seed,
        subjects=subjects,
        repeats=repeats,
        style=style,
        frames=frames,
        **acting,
        **sensor,
    )
    return {"split": split, "annotations": annotations, "meta": meta}


def _stream(seed: int, *number: int) -> np.random.Generator:
    """Return the random stream of a person, or of a sample of a person."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=number))


def _gain(rng: np.random.Generator, spread: float, actions: int) -> np.ndarray:
    """Draw factors [actions, 24] around 1, equal for left and right."""
    center, side = LIMBS["left_arm"].start, LIMBS["right_arm"].start
    gain = np.exp(spread * rng.normal(size=(actions, side)))
    return np.concatenate([gain, gain[:, center:]], axis=1)


def _upright() -> np.ndarray:
    """Return weights for the posture and sway [24], which are lower for the legs."""
    share = np.ones(len(ANGLES))
    share[[LIMBS["left_leg"].start, LIMBS["right_leg"].start, 0]] = 0.4
    return share


def _phase(
    rng: np.random.Generator, frames: tuple[int, int], tempo: float
) -> np.ndarray:
    """Return the phase of the action at each frame, [T].

    The person stands idle before 0 and after 1. Lead-in, lead-out, and the skew of the
    speed have the same distribution in both directions of time. Therefore they do not
    distinguish an action from its time reversal.
    """
    length = rng.uniform(*frames) * tempo
    length = int(np.clip(length, *frames))
    before, after = rng.uniform(-0.08, 0.45, 2)
    phase = np.linspace(-before, 1 + after, length)
    inside = np.clip(phase, 0, 1)
    skew = rng.uniform(-0.5, 0.5)
    return inside + skew * np.sin(np.pi * inside) / np.pi


def _sway(rng: np.random.Generator, length: int, degrees: float) -> np.ndarray:
    """Return slow movements of all angles [T, 24] in degrees, each a sum of three sines.

    The periods of the sines are 1 to 4 s.
    """
    shape = (3, 1, len(ANGLES))
    frequency = 1 / rng.uniform(30, 120, shape)
    turns = frequency * np.arange(length)[:, None] + rng.uniform(0, 1, shape)
    waves = rng.normal(0, degrees / np.sqrt(1.5), shape) * np.sin(2 * np.pi * turns)
    return waves.sum(axis=0) * _upright() / np.sqrt(3)


def _fidget(rng: np.random.Generator, angles: np.ndarray, moving: np.ndarray) -> None:
    """Add a movement of a limb that the action does not use, in place."""
    idle = [name for name, limb in LIMBS.items() if moving[limb].max() < 35]
    if not idle:
        return
    limb = idle[rng.integers(len(idle))]
    if limb.endswith("arm"):
        target = rng.uniform((20, 0, -20, 10, 0), (120, 90, 60, 120, 10))
    else:
        target = rng.uniform((5, 0, 10, 0), (45, 10, 60, 5))
    middle, width = rng.uniform(0.2, 0.8), rng.uniform(0.15, 0.4)
    away = np.abs(np.linspace(0, 1, len(angles)) - middle) / width
    share = minimum_jerk(1 - away)[:, None]  # (T, 1)
    angles[:, LIMBS[limb]] += share * (target - angles[:, LIMBS[limb]])


def _check(
    subjects: int,
    repeats: int,
    seed: int,
    frames: tuple[int, int],
    options: dict[str, float],
) -> None:
    def error(name: str, value: object, expected: str) -> ConfigError:
        return ConfigError(
            f"{name} is {value}, expected {expected}", kind="option", field=name
        )

    smallest = {
        "subjects": (subjects, _HELD_OUT),
        "repeats": (repeats, 1),
        "seed": (seed, 0),
    }
    for name, (count, allowed) in smallest.items():
        if not isinstance(count, (int, np.integer)) or count < allowed:
            raise error(name, repr(count), f"an integer of at least {allowed}")
    shortest, longest = frames
    if not 8 <= shortest <= longest:
        lengths = f"({shortest}, {longest})"
        raise error(
            "frames",
            lengths,
            "a pair (shortest, longest) with 8 <= shortest <= longest",
        )
    for name, value in options.items():
        largest = 1 if name in ("fidget", "lost") else float("inf")
        if not 0 <= value <= largest:
            raise error(name, value, f"a number from 0 to {largest}")
