"""Faults that only a comparison of samples shows: axes, scale, joints, copies, leaks."""

from collections.abc import Iterable, Iterator

import numpy as np

from ...skeletons.axes import Axes
from ..faults import Fault
from ..leaks import FrameHashes
from ..samples import Sample
from .labels import Labels, Splits, pairs_of
from .measures import Measures

# Meters and centimeters differ by 100, and people of one file by less than 5.
SCALE = 50


def axes_faults(samples: Iterable[Sample]) -> Iterator[Fault]:
    """Detect axes in another order in every sample, where no sample contradicts itself.

    `total_frames` may have been read from the wrong axis too. The axis whose length
    varies is that of the frames.
    """
    every = [getattr(sample.get("keypoint"), "shape", ()) for sample in samples]
    shapes = np.array([shape for shape in every if len(shape) == 4], dtype=int)
    if len(shapes) < 3:
        return
    low, high = shapes.min(axis=0), shapes.max(axis=0)
    kinds = [len(np.unique(column)) for column in shapes.T]
    if high[1] <= 5 and high[0] > 10 and kinds[0] > 2:
        axes = Axes((1, 0, 2, 3))
        why = f"has length {low[0]} to {high[0]} on axis 0, and at most 5 on axis 1"
    elif kinds[1] == 1 and kinds[2] > max(2, len(shapes) // 20):
        axes = Axes((0, 2, 1, 3))
        why = f"always has length {low[1]} on axis 1, and several lengths on axis 2"
    elif (low[0], low[3], high[0], high[3]) == (3, 2, 3, 2) and not any(
        "keypoint_score" in sample or "img_shape" in sample for sample in samples
    ):
        axes, why = Axes((3, 1, 2, 0)), "always has length 3 on axis 0, and 2 on axis 3"
    else:
        return
    yield Fault(
        "keypoint-axes",
        f"keypoint looks like {axes.names} in all samples, since it {why}; expected "
        f"[M, T, V, C]: store keypoint.{axes.fix}, and its frames as total_frames",
        field="keypoint",
    )


def scale_faults(measures: dict[str, Measures]) -> Iterator[Fault]:
    """Find samples in another unit than most."""
    sizes = {name: seen.size for name, seen in measures.items() if seen.size > 0}
    if not sizes:
        return
    usual = float(np.median(list(sizes.values())))
    for name, size in sizes.items():
        if not 1 / SCALE < size / usual < SCALE:
            yield Fault(
                "scale-differs",
                f"keypoint has persons of size {size:.3g}, but {usual:.3g} in most "
                "samples: convert all samples to one unit",
                name,
                "keypoint",
            )


def joint_faults(measures: dict[str, Measures]) -> Iterator[Fault]:
    """Find joints that are absent in every sample."""
    there = sum(seen.person_frames for seen in measures.values())
    if not there:
        return
    missing = sum(seen.missing for seen in measures.values())
    for joint in np.flatnonzero(missing == there):
        yield Fault(
            "joint-never",
            f"keypoint has joint {joint} at zero in every sample: either it was not "
            "recorded, or it is the origin. Zero means absent, so choose a layout "
            "without it, or store the coordinates as recorded.",
            field="keypoint",
        )


def copy_faults(hashes: FrameHashes, splits: Splits, labels: Labels) -> Iterator[Fault]:
    """Find sequences that occur under several ids, or on both sides of a split."""
    splits_of: dict[str, set[str]] = {name: set() for name in hashes.keypoints}
    for split, ids in splits.items():
        for name in ids:
            splits_of.get(name, set()).add(split)
    for first, *others in hashes.groups(hashes.keypoints):
        for name in others:
            shared = sorted(splits_of[first] & splits_of[name])
            if labels.get(first) != labels.get(name):
                yield Fault(
                    "copy-other-label",
                    f"keypoint is identical to that of {first!r}, but label is "
                    f"{_shown(labels, name)}, not {_shown(labels, first)}: remove the "
                    "wrong one",
                    name,
                    "keypoint",
                )
            elif shared or not splits:
                side = f"in split {shared[0]!r}" if shared else "in the file"
                yield Fault(
                    "copy",
                    f"keypoint is identical to that of {first!r}, and both are {side}, "
                    "so it counts twice: remove one",
                    name,
                    "keypoint",
                )
    for train, other in pairs_of(splits):
        trained = [name for name in splits[train] if name in splits_of]
        known = set(trained)
        tested = [
            name for name in splits[other] if name in splits_of and name not in known
        ]
        for leak in hashes.leaks(trained, tested):
            place = f"split[{other!r}]"
            if leak.identical:
                yield Fault(
                    "leak-identical",
                    f"keypoint is identical to that of {leak.trained!r} in split "
                    f"{train!r}, so testing it is meaningless: remove one of them",
                    leak.tested,
                    place,
                )
            elif leak.mostly:
                yield Fault(
                    "leak-mostly",
                    f"keypoint shares {leak.shared} of its {leak.frames} frames with "
                    f"split {train!r}, most of them with {leak.trained!r}: keep what "
                    "was recorded together on one side",
                    leak.tested,
                    place,
                )


def _shown(labels: Labels, name: str) -> str:
    return ", ".join(map(str, labels.get(name, ["missing"])))
