"""Splits: hold out groups of recordings, and find persons on both sides."""

from collections.abc import Iterator

import numpy as np

from ..errors import ConfigError, DataError
from .check import Annotations, id_field

__all__ = ["hold_out", "shared_persons"]


def hold_out(
    labels: list[int], groups: list[str], fraction: float, seed: int
) -> set[str]:
    """Choose groups for validation that contain about a fraction of each class.

    Groups are visited in random order, large ones first. A group is held out if that
    brings the counts of the classes closer to `fraction` (in squared distance). If each
    recording is a group of its own, this is the usual split stratified by class. For a
    class with at least two recordings, the target is at least one on either side.

    Args:
        labels: class of each recording.
        groups: group of each recording, such as its person; no group is split.
        fraction: above 0 and below 1.
        seed: seed of the order.

    Returns:
        At least one group, and not all.

    Raises:
        ConfigError: `fraction` is out of range (`option`).
        DataError: there are fewer than two groups (`split`).
    """
    if not 0 < fraction < 1:
        raise ConfigError(
            f"fraction (--val-fraction) is {fraction}, expected above 0 and below 1",
            kind="option",
        )
    names, member = np.unique(groups, return_inverse=True)
    if len(names) < 2:
        raise DataError(
            f"all {len(groups)} files belong to the group {groups[0]!r}, expected at "
            "least two groups",
            kind="split",
        )
    counts = np.zeros((len(names), max(labels) + 1))
    np.add.at(counts, (member, np.asarray(labels)), 1)
    total = counts.sum(axis=0)
    target = np.clip(
        fraction * total, np.minimum(total // 2, 1), np.maximum(total - 1, 0)
    )
    order = np.random.default_rng(seed).permutation(len(names))
    order = order[np.argsort(-counts[order].sum(axis=1), kind="stable")]

    def distance(held: np.ndarray) -> float:
        return float(np.sum((held - target) ** 2))

    held = np.zeros_like(target)
    chosen: list[np.intp] = []
    for group in order:
        last = len(chosen) == len(names) - 1
        if not last and distance(held + counts[group]) < distance(held):
            held += counts[group]
            chosen.append(group)
    if not chosen:  # every group is too large: take the closest
        chosen = [min(order, key=lambda group: distance(counts[group]))]
    return {str(names[group]) for group in chosen}


def shared_persons(data: Annotations) -> Iterator[tuple[str, str, list[str]]]:
    """Find persons who occur in two splits, and so leak from one to the other.

    Args:
        data: annotations with splits, whose samples have `person_id`.

    Yields:
        The names of two splits, and the persons in both.
    """
    if not isinstance(data, dict):
        return
    samples = data["annotations"]
    key = id_field(samples)
    person = {
        sample[key]: sample["person_id"] for sample in samples if "person_id" in sample
    }
    persons = {
        split: {str(person[name]) for name in ids if name in person}
        for split, ids in data["split"].items()
    }
    names = list(persons)
    for number, first in enumerate(names):
        for second in names[number + 1 :]:
            if both := sorted(persons[first] & persons[second]):
                yield first, second, both
