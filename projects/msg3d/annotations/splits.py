"""Splits: hold out groups of recordings, and find persons on both sides."""

from collections.abc import Iterator

import numpy as np

from .check import Annotations, id_field

__all__ = ["hold_out", "shared_persons"]


def hold_out(
    labels: list[int], groups: list[str], fraction: float, seed: int
) -> set[str]:
    """Groups whose recordings make up about this part of each class.

    Groups come in random order, large ones first; one is held out where that brings
    the counts of the classes nearer to `fraction` (in squares). With each recording a
    group of its own this is the usual split stratified by class. Of a class with at
    least two recordings at least one is aimed at on either side.

    Args:
        labels: the class of each recording.
        groups: who or what each was recorded of, which must not be on both sides.
        fraction: above 0 and below 1.
        seed: of the order.

    Returns:
        At least one group, and not all.

    Raises:
        ValueError: `fraction` out of range, or fewer than two groups.
    """
    if not 0 < fraction < 1:
        raise ValueError(f"fraction is {fraction}, expected above 0 and below 1")
    names, member = np.unique(groups, return_inverse=True)
    if len(names) < 2:
        raise ValueError(
            f"all {len(groups)} files belong to the group {groups[0]!r}, expected at "
            "least two groups"
        )
    counts = np.zeros((len(names), max(labels) + 1))
    np.add.at(counts, (member, labels), 1)
    total = counts.sum(axis=0)
    target = np.clip(
        fraction * total, np.minimum(total // 2, 1), np.maximum(total - 1, 0)
    )
    order = np.random.default_rng(seed).permutation(len(names))
    order = order[np.argsort(-counts[order].sum(axis=1), kind="stable")]

    def distance(held: np.ndarray) -> float:
        return float(np.sum((held - target) ** 2))

    held, chosen = np.zeros_like(target), []
    for group in order:
        last = len(chosen) == len(names) - 1
        if not last and distance(held + counts[group]) < distance(held):
            held += counts[group]
            chosen.append(group)
    if not chosen:  # every group is too large: the one that is least so
        chosen = [min(order, key=lambda group: distance(counts[group]))]
    return {str(names[group]) for group in chosen}


def shared_persons(data: Annotations) -> Iterator[tuple[str, str, list[str]]]:
    """Persons on both sides of a pair of splits: what is known of them leaks.

    Args:
        data: annotations with splits, whose samples have `person_id`.

    Yields:
        Two splits and the persons of both.
    """
    if not isinstance(data, dict):
        return
    samples = data["annotations"]
    key = id_field(samples)
    person = {one[key]: one["person_id"] for one in samples if "person_id" in one}
    persons = {
        split: {str(person[name]) for name in ids if name in person}
        for split, ids in data["split"].items()
    }
    names = list(persons)
    for number, first in enumerate(names):
        for second in names[number + 1 :]:
            if both := sorted(persons[first] & persons[second]):
                yield first, second, both
