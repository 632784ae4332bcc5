"""Faults that only show when samples are compared: scale, joints, copies, leaks."""

from collections.abc import Iterable, Iterator

import numpy as np

from ...skeletons.axes import Axes
from ..faults import Fault
from ..leaks import FrameHashes
from .labels import Labels, Splits, pairs_of
from .measures import Measures

# Metres and centimetres differ by 100, and people of one file by less than 5.
SCALE = 50


def axes_faults(samples: Iterable[dict]) -> Iterator[Fault]:
    """Axes in another order in every sample, so that no sample contradicts itself.

    `total_frames` may have been read from the wrong axis too. What varies is frames.
    """
    keypoints = [sample.get("keypoint") for sample in samples]
    shapes = np.array(
        [one.shape for one in keypoints if getattr(one, "ndim", 0) == 4], dtype=int
    )
    if len(shapes) < 3:
        return
    low, high = shapes.min(axis=0), shapes.max(axis=0)
    kinds = [len(np.unique(column)) for column in shapes.T]
    if high[1] <= 5 and high[0] > 10 and kinds[0] > 2:
        axes, why = Axes((1, 0, 2, 3)), f"0 is {low[0]} to {high[0]} long, axis 1 a few"
    elif kinds[1] == 1 and kinds[2] > max(2, len(shapes) // 20):
        axes, why = Axes((0, 2, 1, 3)), f"1 is always {low[1]} long, and axis 2 varies"
    elif (low[0], low[3], high[0], high[3]) == (3, 2, 3, 2) and not any(
        "keypoint_score" in sample or "img_shape" in sample for sample in samples
    ):
        axes, why = Axes((3, 1, 2, 0)), "0 is always 3 long, axis 3 always 2"
    else:
        return
    yield Fault(
        "keypoint-axes",
        f"keypoint looks like {axes.names} in all samples, since axis {why}; expected "
        f"[M, T, V, C]: store keypoint.{axes.fix}, and its frames as total_frames",
        field="keypoint",
    )


def scale_faults(measures: dict[str, Measures]) -> Iterator[Fault]:
    """Samples in another unit than most."""
    sizes = {name: one.size for name, one in measures.items() if one.size > 0}
    if not sizes:
        return
    usual = float(np.median(list(sizes.values())))
    for name, size in sizes.items():
        if not 1 / SCALE < size / usual < SCALE:
            yield Fault(
                "scale-differs",
                f"keypoint has persons {size:.3g} long, in most samples they are "
                f"{usual:.3g}: bring all to one unit",
                name,
                "keypoint",
            )


def joint_faults(measures: dict[str, Measures]) -> Iterator[Fault]:
    """Joints that no sample has."""
    there = sum(one.person_frames for one in measures.values())
    if not there:
        return
    missing = sum(one.missing for one in measures.values())
    for joint in np.flatnonzero(missing == there):
        yield Fault(
            "joint-never",
            f"keypoint has joint {joint} at zero in every sample: it was not recorded, "
            "or coordinates count from it; zero means absent, so choose a layout "
            "without it, or store coordinates as recorded",
            field="keypoint",
        )


def copy_faults(hashes: FrameHashes, splits: Splits, labels: Labels):
    """Sequences that are there under several ids, and on both sides of a split."""
    where: dict[str, set[str]] = {name: set() for name in hashes.keypoints}
    for split, ids in splits.items():
        for one in ids:
            where.get(one, set()).add(split)
    for first, *others in hashes.groups(hashes.keypoints):
        for one in others:
            shared = sorted(where[first] & where[one])
            if labels.get(first) != labels.get(one):
                yield Fault(
                    "copy-other-label",
                    f"keypoint is that of {first!r}, byte for byte, but label is "
                    f"{_shown(labels, one)}, not {_shown(labels, first)}: leave the "
                    "wrong one out",
                    one,
                    "keypoint",
                )
            elif shared or not splits:
                side = f"in split {shared[0]!r}" if shared else "in the file"
                yield Fault(
                    "copy",
                    f"keypoint is that of {first!r}, byte for byte, and both are "
                    f"{side}: it counts twice, leave one out",
                    one,
                    "keypoint",
                )
    for train, other in pairs_of(splits):
        trained = [one for one in splits[train] if one in where]
        known = set(trained)
        tested = [one for one in splits[other] if one in where and one not in known]
        for leak in hashes.leaks(trained, tested):
            place = f"split[{other!r}]"
            if leak.identical:
                yield Fault(
                    "leak-identical",
                    f"keypoint is that of {leak.trained!r} in split {train!r}, byte "
                    "for byte: a test of it says nothing, take one of them out",
                    leak.tested,
                    place,
                )
            elif leak.mostly:
                yield Fault(
                    "leak-mostly",
                    f"keypoint shares {leak.shared} of its {leak.frames} frames with "
                    f"split {train!r}, most with {leak.trained!r}: keep what was "
                    "recorded together on one side",
                    leak.tested,
                    place,
                )


def _shown(labels: Labels, name: str) -> str:
    return ", ".join(map(str, labels.get(name, ["missing"])))
