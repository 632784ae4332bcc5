"""Find faults by comparing samples: axes, scale, joints, duplicates, and leaks."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ...skeletons.axes import Axes
from ..faults import Fault
from ..leaks import FrameHashes
from .labels import Labels, Splits, member, pairs_of
from .measures import MeasureTable

# Meters and centimeters differ by a factor of 100, people in a file by less than 5.
SCALE = 50


def axes_faults(shapes: np.ndarray, only_keypoints: bool) -> Iterator[Fault]:
    """Detect a wrong order of axes that all samples share.

    In such a file, `total_frames` may have been read from the wrong axis too, so each
    sample is consistent. The frame axis is the axis whose length varies.

    Args:
        shapes: shapes of all `keypoint` arrays with four axes, int [samples, 4].
        only_keypoints: whether no sample has `keypoint_score` or `img_shape`.
    """
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
    elif (low[0], low[3], high[0], high[3]) == (3, 2, 3, 2) and only_keypoints:
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


def scale_faults(measures: MeasureTable, ids: Sequence[str]) -> Iterator[Fault]:
    """Find samples whose unit differs from that of most samples.

    Args:
        measures: measurements of the samples.
        ids: the ids to which `measures.sample` refers.
    """
    sizes = measures.size.array
    if not (sizes > 0).any():
        return
    usual = float(np.median(sizes[sizes > 0]))
    ratios = sizes / usual
    differs = (sizes > 0) & ~((ratios > 1 / SCALE) & (ratios < SCALE))
    for number in np.flatnonzero(differs):
        yield Fault(
            "scale-differs",
            f"'keypoint' has persons of size {sizes[number]:.3g}, expected about "
            f"{usual:.3g} as in most samples. Convert all samples to the same unit.",
            ids[measures.sample.array[number]],
            "keypoint",
        )


def joint_faults(measures: MeasureTable) -> Iterator[Fault]:
    """Find joints that are absent in every sample."""
    total = int(measures.person_frames.array.sum())
    if not total:
        return
    for joint in np.flatnonzero(measures.missing == total):
        yield Fault(
            "joint-never",
            f"'keypoint' is zero (absent) at joint {joint} in every sample. If the joint "
            "was not recorded, choose a layout without it. If it is the origin, store the "
            "coordinates as recorded.",
            field="keypoint",
        )


def marker_faults(
    measures: MeasureTable, ids: Sequence[str], channels: int | None
) -> Iterator[Fault]:
    """Find markers of missing joints other than zero.

    Args:
        measures: measurements of the samples.
        ids: the ids to which `measures.sample` refers.
        channels: number of channels, C.
    """
    for marker, marked in sorted(measures.marked.items()):
        place = ", ".join([f"{marker:g}"] * (channels or 0))
        yield Fault(
            "missing-marker",
            f"'keypoint' is ({place}) at {marked.joints} joints of {marked.samples} "
            "samples, which marks missing joints. msg3d treats them as missing, but other "
            "code bases do not. `msg3d convert FILE OUTPUT` stores them as zero.",
            ids[marked.sample],
            "keypoint",
        )


def copy_faults(
    keypoints: Mapping[int, np.ndarray],
    hashes: NDArray[np.int64],
    ids: Sequence[str],
    splits: Splits,
    labels: Labels,
) -> Iterator[Fault]:
    """Find duplicate sequences, and test sequences that occur in training splits.

    Args:
        keypoints: keypoints [M, T, V, C] of samples, by their position in `ids`.
        hashes: hash of each of these samples, [samples]; 0 without persons.
        ids: ids of the samples.
        splits: positions in `ids` of the samples in each split.
        labels: labels of each sample.
    """
    inside = {split: member(len(ids), splits[split]) for split in sorted(splits)}
    sequences = FrameHashes(keypoints)
    for first, *others in sequences.groups(keypoints, hashes):
        for number in others:
            shared = [split for split, on in inside.items() if on[first] and on[number]]
            if labels.of(first) != labels.of(number):
                yield Fault(
                    "copy-other-label",
                    f"'keypoint' is identical to that of sample {ids[first]!r}, but "
                    f"'label' is {_shown(labels, number)}, not {_shown(labels, first)}. "
                    "Remove the sample with the wrong label.",
                    ids[number],
                    "keypoint",
                )
            elif shared or not splits:
                where = f"in split {shared[0]!r}" if shared else "in the file"
                yield Fault(
                    "copy",
                    f"'keypoint' is identical to that of sample {ids[first]!r}, and both "
                    f"samples are {where}. Remove one of them.",
                    ids[number],
                    "keypoint",
                )
    measured = member(len(ids), np.fromiter(keypoints, int))
    for train, other in pairs_of(splits):
        trained = splits[train][measured[splits[train]]]
        tested = splits[other][(measured & ~inside[train])[splits[other]]]
        for leak in sequences.leaks(trained.tolist(), tested.tolist()):
            field = f"split[{other!r}]"
            if leak.identical:
                yield Fault(
                    "leak-identical",
                    f"'keypoint' is identical to that of sample {ids[leak.trained]!r} in "
                    f"split {train!r}, so the test result of this sample is meaningless. "
                    "Remove one of them.",
                    ids[leak.tested],
                    field,
                )
            elif leak.mostly:
                yield Fault(
                    "leak-mostly",
                    f"'keypoint' shares {leak.shared} of its {leak.frames} frames with "
                    f"split {train!r}, most of them with sample {ids[leak.trained]!r}. "
                    "Put clips of the same recording into the same split.",
                    ids[leak.tested],
                    field,
                )


def _shown(labels: Labels, number: int) -> str:
    values = labels.of(number)
    return ", ".join(map(str, ["missing"] if values is None else values))
