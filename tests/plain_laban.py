"""Reference implementation of the Effort features, joint by joint and frame by frame."""

import math

import numpy as np


def plain_effort(person, bones, effort, variant="published", fps=1, time="frame"):
    """Compute an Effort of a person [T, V, 3] without missing joints."""
    parents = dict(bones)
    frames, joints, _ = person.shape
    features = np.zeros((frames, joints, 3))
    for t in range(frames):
        for joint in range(joints):
            for axis in range(3):
                entry = (person, parents, t, joint, axis, variant)
                features[t, joint, axis] = _plain(effort, entry, fps, time)
    return features


def _plain(effort, entry, fps, time):
    person, parents, t, joint, axis, variant = entry
    if effort == "time" and time == "joint":
        before = person[t, joint - 1, axis] if joint > 0 else 0.0
        return person[t, joint, axis] - before
    if effort == "time":
        return _velocity(entry) * fps
    if effort == "weight" and variant == "corrected":
        return 0.5 * (_velocity(entry) * fps) ** 2
    if effort == "flow":
        if variant == "corrected" and t < 2:
            return 0.0
        now, before, earlier = (
            _angle(person, parents, s, joint, axis) for s in (t, t - 1, t - 2)
        )
        return ((now - before) - (before - earlier)) * fps**2
    return _angle(person, parents, t, joint, axis)


def _velocity(entry):
    person, _, t, joint, axis, variant = entry
    if t > 0:
        return person[t, joint, axis] - person[t - 1, joint, axis]
    return person[t, joint, axis] if variant == "published" else 0.0


def _angle(person, parents, t, joint, axis):
    """Return the angle, or zero before the first frame, as in the study."""
    if t < 0:
        return 0.0
    bone = [float(person[t, joint, i] - person[t, parents[joint], i]) for i in range(3)]
    length = math.sqrt(sum(part * part for part in bone))
    return math.acos(bone[axis] / length) if length else math.pi / 2
