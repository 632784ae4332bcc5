"""Hold out groups of recordings, and find persons who occur in several splits."""

from collections.abc import Iterator

import numpy as np

from ..errors import ConfigError, DataError
from .check import Annotations, id_field

__all__ = ["hold_out", "shared_persons"]


def hold_out(
    labels: list[int], groups: list[str], fraction: float, seed: int
) -> set[str]:
    """Choose validation groups that contain about the given fraction of each class.

    Groups are visited from large to small, and groups of equal size in random order. A
    group is held out if it brings the number of validation recordings per class closer
    to `fraction` (in squared distance). If each recording is a separate group, the
    result is a stratified split. For a class with at least two recordings, the target is
    at least one recording for training and one for validation.

    Args:
        labels: class of each recording.
        groups: group of each recording, such as its person. Groups are never divided.
        fraction: fraction of the recordings for validation, above 0 and below 1.
        seed: seed of the random order.

    Returns:
        The groups for validation: at least one group, but never all groups.

    Raises:
        ConfigError: `fraction` is out of range (kind `option`).
        DataError: there are fewer than two groups (kind `split`).
    """
    if not 0 < fraction < 1:
        raise ConfigError(
            f"fraction (--val-fraction) is {fraction}, expected a value above 0 and below "
            "1",
            kind="option",
        )
    names, group_index = np.unique(groups, return_inverse=True)
    if len(names) < 2:
        raise DataError(
            f"all {len(groups)} recordings belong to group {groups[0]!r}, expected at "
            "least two groups. Add recordings of another group.",
            kind="split",
        )
    counts = np.zeros((len(names), max(labels) + 1))
    np.add.at(counts, (group_index, np.asarray(labels)), 1)
    total = counts.sum(axis=0)
    target = np.clip(
        fraction * total, np.minimum(total // 2, 1), np.maximum(total - 1, 0)
    )
    order = np.random.default_rng(seed).permutation(len(names))
    order = order[np.argsort(-counts[order].sum(axis=1), kind="stable")]

    def distance(held_out: np.ndarray) -> float:
        return float(np.sum((held_out - target) ** 2))

    held_out = np.zeros_like(target)
    chosen: list[np.intp] = []
    for group in order:
        is_last = len(chosen) == len(names) - 1
        if not is_last and distance(held_out + counts[group]) < distance(held_out):
            held_out += counts[group]
            chosen.append(group)
    if not chosen:  # every group is too large: use the closest
        chosen = [min(order, key=lambda group: distance(counts[group]))]
    return {str(names[group]) for group in chosen}


def shared_persons(data: Annotations) -> Iterator[tuple[str, str, list[str]]]:
    """Find persons who occur in more than one split.

    Args:
        data: annotations with splits. Samples without `person_id` are ignored.

    Yields:
        For each pair of splits with common persons: names of the two splits, and the
        sorted list of persons in both.
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
            if shared := sorted(persons[first] & persons[second]):
                yield first, second, shared
