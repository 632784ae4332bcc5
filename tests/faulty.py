"""Valid annotation files, and typical faults in them."""

import numpy as np

from samples import annotations

NAMES = ["walk", "sit", "wave", "jump"]


def good(channels=3, **kwargs):
    """Return a valid file: kinect20 in 3D, or coco with scores in 2D."""
    joints = 20 if channels == 3 else 17
    data = annotations(joints=joints, channels=channels, frames=(20, 30), **kwargs)
    return {**data, "meta": {"classes": list(NAMES)}}


def by_name(data, number=2):
    return data["annotations"][number]


def field(**changes):
    """Change fields of sample002 by a function, to a value, or delete them (None)."""

    def mutate(data):
        sample = by_name(data)
        for name, value in changes.items():
            if value is None:
                del sample[name]
            else:
                sample[name] = value(sample[name]) if callable(value) else value

    return mutate


def every(**changes):
    """Change fields of all samples, see `field`."""

    def mutate(data):
        for sample in data["annotations"]:
            field(**changes)({"annotations": [None, None, sample]})

    return mutate


def filled(index, value):
    def change(array):
        array = array.copy()
        array[index] = value
        return array

    return change


def turned(*axes):
    return lambda keypoint: keypoint.transpose(axes)


def three_persons(absent):
    """Repeat a person three times, with person `absent` set to zero."""

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
    """Copy training frames to more than half of the frames of a test sequence."""
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


def kinds(inspection):
    return {fault.kind for fault in inspection.faults}
