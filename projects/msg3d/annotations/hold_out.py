"""Which recordings to hold out for validation: of every class, and whole groups."""

import numpy as np


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
