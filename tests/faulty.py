"""Good annotation files, and what happens to them in practice."""

import numpy as np

from samples import annotations

NAMES = ["walk", "sit", "wave", "jump"]


def good(channels=3, **kwargs):
    """A file without a fault: kinect20 in 3D, or coco with scores in 2D."""
    joints = 20 if channels == 3 else 17
    data = annotations(joints=joints, channels=channels, frames=(20, 30), **kwargs)
    return {**data, "meta": {"classes": list(NAMES)}}


def by_name(data, number=2):
    return data["annotations"][number]


def field(**changes):
    """sample002's fields changed: by a function, to a value, or taken away (None)."""

    def mutate(data):
        sample = by_name(data)
        for name, value in changes.items():
            if value is None:
                del sample[name]
            else:
                sample[name] = value(sample[name]) if callable(value) else value

    return mutate


def every(**changes):
    """`field` for every sample."""

    def mutate(data):
        for number in range(len(data["annotations"])):
            only = {"annotations": [None, None, data["annotations"][number]]}
            field(**changes)(only)

    return mutate


def filled(place, value):
    def change(array):
        array = array.copy()
        array[place] = value
        return array

    return change


def turned(*axes):
    return lambda keypoint: keypoint.transpose(axes)


def three_persons(absent):
    """Three persons, of whom one is never there."""

    def change(keypoint):
        persons = np.repeat(keypoint, 3, axis=0) + np.arange(3).reshape(3, 1, 1, 1)
        persons[absent] = 0
        return persons.astype(np.float32)

    return change


def copy_of(source, target, **changes):
    def mutate(data):
        first, second = by_name(data, source), by_name(data, target)
        second.update(
            keypoint=first["keypoint"].copy(),
            total_frames=first["total_frames"],
            **changes,
        )

    return mutate


def share_most(data):
    """More than half of the frames of a test sequence are training frames."""
    source, target = by_name(data, 0)["keypoint"], by_name(data, 8)["keypoint"]
    half = target.shape[1] // 2 + 1
    target[:, :half] = source[:, :half]


def labels(values):
    def mutate(data):
        for sample, label in zip(data["annotations"], values, strict=True):
            sample["label"] = label

    return mutate


def split(name, change):
    def mutate(data):
        data["split"][name] = change(data["split"][name])

    return mutate


def kinds(found):
    return {fault.kind for fault in found.faults}
