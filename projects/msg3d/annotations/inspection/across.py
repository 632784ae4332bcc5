"""Find faults by comparing samples: axes, scale, joints, duplicates, and leaks."""

from collections.abc import Iterable, Iterator

import numpy as np

from ...skeletons.axes import Axes
from ..faults import Fault
from ..leaks import FrameHashes
from ..samples import Sample
from .labels import Labels, Splits, pairs_of
from .measures import Measures

# Meters and centimeters differ by a factor of 100, people in a file by less than 5.
SCALE = 50


def axes_faults(samples: Iterable[Sample]) -> Iterator[Fault]:
    """Detect a wrong order of axes that all samples share.

    In such a file, `total_frames` may have been read from the wrong axis too, so each
    sample is consistent. The frame axis is the axis whose length varies.
    """
    all_shapes = [getattr(sample.get("keypoint"), "shape", ()) for sample in samples]
    shapes = np.array([shape for shape in all_shapes if len(shape) == 4], dtype=int)
    if len(shapes) < 3:
        return
    low, high = shapes.min(axis=0), shapes.max(axis=0)
    lengths = [len(np.unique(column)) for column in shapes.T]
    if high[1] <= 5 and high[0] > 10 and lengths[0] > 2:
        axes = Axes((1, 0, 2, 3))
        why = f"axis 0 has length {low[0]} to {high[0]}, and axis 1 at most 5"
    elif lengths[1] == 1 and lengths[2] > max(2, len(shapes) // 20):
        axes = Axes((0, 2, 1, 3))
        why = f"axis 1 always has length {low[1]}, but the length of axis 2 varies"
    elif (low[0], low[3], high[0], high[3]) == (3, 2, 3, 2) and not any(
        "keypoint_score" in sample or "img_shape" in sample for sample in samples
    ):
        axes, why = Axes((3, 1, 2, 0)), "axis 0 always has length 3, axis 3 length 2"
    else:
        return
    yield Fault(
        "keypoint-axes",
        f"'keypoint' has axes in the order {axes.names} in all samples, judging by their "
        f"lengths ({why}), expected [M, T, V, C]. Store keypoint.{axes.fix}, and update "
        "'total_frames'.",
        field="keypoint",
    )


def scale_faults(measures: dict[str, Measures]) -> Iterator[Fault]:
    """Find samples whose unit differs from that of most samples."""
    sizes = {name: sample.size for name, sample in measures.items() if sample.size > 0}
    if not sizes:
        return
    usual = float(np.median(list(sizes.values())))
    for name, size in sizes.items():
        if not 1 / SCALE < size / usual < SCALE:
            yield Fault(
                "scale-differs",
                f"'keypoint' has persons of size {size:.3g}, expected about {usual:.3g} as "
                "in most samples. Convert all samples to the same unit.",
                name,
                "keypoint",
            )


def joint_faults(measures: dict[str, Measures]) -> Iterator[Fault]:
    """Find joints that are absent in every sample."""
    total = sum(sample.person_frames for sample in measures.values())
    if not total:
        return
    missing = sum(sample.missing for sample in measures.values())
    for joint in np.flatnonzero(missing == total):
        yield Fault(
            "joint-never",
            f"'keypoint' is zero (absent) at joint {joint} in every sample. If the joint "
            "was not recorded, choose a layout without it. If it is the origin, store the "
            "coordinates as recorded.",
            field="keypoint",
        )


def marker_faults(measures: dict[str, Measures]) -> Iterator[Fault]:
    """Find markers of missing joints other than zero."""
    markers = {marker for sample in measures.values() for marker in sample.marked}
    for marker in sorted(markers):
        counts = {
            name: sample.marked[marker]
            for name, sample in measures.items()
            if marker in sample.marked
        }
        channels = len(measures[next(iter(counts))].low)
        place = ", ".join([f"{marker:g}"] * channels)
        yield Fault(
            "missing-marker",
            f"'keypoint' is ({place}) at {sum(counts.values())} joints of {len(counts)} "
            "samples, which marks missing joints. msg3d treats them as missing, but other "
            "code bases do not. `msg3d convert FILE OUTPUT` stores them as zero.",
            next(iter(counts)),
            "keypoint",
        )


def copy_faults(hashes: FrameHashes, splits: Splits, labels: Labels) -> Iterator[Fault]:
    """Find duplicate sequences, and test sequences that occur in training splits."""
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
                    f"'keypoint' is identical to that of sample {first!r}, but 'label' is "
                    f"{_shown(labels, name)}, not {_shown(labels, first)}. Remove the "
                    "sample with the wrong label.",
                    name,
                    "keypoint",
                )
            elif shared or not splits:
                where = f"in split {shared[0]!r}" if shared else "in the file"
                yield Fault(
                    "copy",
                    f"'keypoint' is identical to that of sample {first!r}, and both "
                    f"samples are {where}. Remove one of them.",
                    name,
                    "keypoint",
                )
    for train, other in pairs_of(splits):
        train_ids = [name for name in splits[train] if name in splits_of]
        known = set(train_ids)
        test_ids = [
            name for name in splits[other] if name in splits_of and name not in known
        ]
        for leak in hashes.leaks(train_ids, test_ids):
            field = f"split[{other!r}]"
            if leak.identical:
                yield Fault(
                    "leak-identical",
                    f"'keypoint' is identical to that of sample {leak.trained!r} in split "
                    f"{train!r}, so the test result of this sample is meaningless. Remove "
                    "one of them.",
                    leak.tested,
                    field,
                )
            elif leak.mostly:
                yield Fault(
                    "leak-mostly",
                    f"'keypoint' shares {leak.shared} of its {leak.frames} frames with "
                    f"split {train!r}, most of them with sample {leak.trained!r}. Put "
                    "clips of the same recording into the same split.",
                    leak.tested,
                    field,
                )


def _shown(labels: Labels, name: str) -> str:
    return ", ".join(map(str, labels.get(name, ["missing"])))
