"""Labeled data sets with splits, which are read and written sample by sample.

A format whose files are such data sets defines `Format.data_set`, which opens a file
without loading it, and optionally `Format.write`. All samples pass through these two
functions, so memory does not depend on the size of a file.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..annotations import Sample
from ..errors import DataError
from ..skeletons import SKELETONS, layout_meta
from ..skeletons.lookup import Layout
from .base import ReadOptions

# Layouts of 2D pose estimators, whose third channel is a score.
LAYOUTS_2D = (
    *("coco", "openpose", "openpose25", "halpe26", "coco-wholebody133"),
    *("penn13", "jhmdb15"),
)
# Fields of a sample that every format stores.
STORED = {
    "frame_dir",
    "filename",
    "label",
    "total_frames",
    "keypoint",
    "keypoint_score",
}


@dataclass
class DataSet:
    """Samples of a file, and what they have in common.

    Attributes:
        count: number of samples.
        read: callable that returns an iterator over the samples from a position. Samples
            are those of an annotation file, with unique ids as `frame_dir`.
        splits: name -> ids of the samples, or None.
        meta: `meta` of an annotation file.
        rest: other data of an annotation file.
        source: description of everything that the samples depend on, to resume writing.
        notes: mapping from the description of a change to its count. Complete after all
            samples have been read.
    """

    count: int
    read: Callable[[int], Iterable[Sample]]
    splits: Mapping[str, Sequence[str]] | None = None
    meta: dict[str, Any] = field(default_factory=dict)
    rest: dict[str, Any] = field(default_factory=dict)
    source: str | None = None
    notes: dict[str, int] = field(default_factory=dict)

    def note(self, text: str, count: int = 1) -> None:
        """Count a change."""
        if count:
            self.notes[text] = self.notes.get(text, 0) + count


def two_splits(data: DataSet, train: str | None, val: str | None) -> tuple[str, str]:
    """Return the names of the splits for training and testing.

    Args:
        data: the data set.
        train, val: names of the splits. None if the data set has a single pair.

    Raises:
        DataError: a split does not exist, or the choice is ambiguous (kind `split`).
    """
    splits = data.splits or {}
    for name in (train, val):
        if name is not None and name not in splits:
            raise DataError(
                f"the split {name!r} does not exist, expected one of "
                f"{', '.join(splits) or 'none'}",
                kind="split",
                field="split",
            )
    pairs = [
        (first, second)
        for first in splits
        if "train" in first
        for second in (first.replace("train", "val"), first.replace("train", "test"))
        if second in splits and train in (None, first) and val in (None, second)
    ]
    if train is not None and val is not None:
        return train, val
    if len(pairs) != 1:
        raise DataError(
            f"the data set has the splits {', '.join(splits) or 'none'}, expected one for "
            "training and one for testing. Choose them (--train-split and --val-split).",
            kind="split",
            field="split",
        )
    return pairs[0]


class Row(NamedTuple):
    """Properties of a sample to write.

    Attributes:
        name, label: id and class.
        shape: shape of the keypoints, (M, T, V, C), where C includes the score.
        img_shape: (height, width), or None.
    """

    name: str
    label: int
    shape: tuple[int, int, int, int]
    img_shape: tuple[int, int] | None


@dataclass
class Sides:
    """The samples of two splits in the order of a data set, without their keypoints.

    Attributes:
        names: names of the two splits.
        rows: properties of the samples in each split.
        scored: whether the last channel contains scores.
        classes: number of classes.
        lost: what a format with two splits and one class per sample cannot store:
            description -> count.
    """

    names: tuple[str, str]
    rows: tuple[list[Row], list[Row]]
    scored: bool
    classes: int
    lost: dict[str, int]

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """The smallest (M, T, V, C) that all samples fit in."""
        shapes = np.array([row.shape for rows in self.rows for row in rows])
        persons, frames, joints, channels = map(int, shapes.max(axis=0))
        return persons, frames, joints, channels

    def keypoints(self, data: DataSet, side: int) -> Iterator[np.ndarray]:
        """Read the samples of a split again, padded with zeros, [M, T, V, C] each."""
        names = {row.name for row in self.rows[side]}
        for sample in data.read(0):
            if sample["frame_dir"] in names:
                keypoint = joined_channels(sample)
                padded = np.zeros(self.shape, np.float32)
                padded[: len(keypoint), : keypoint.shape[1]] = keypoint
                yield padded


def two_sides(
    data: DataSet, train: str | None, val: str | None, stored: Collection[str] = ()
) -> Sides:
    """Read the properties of the samples in two splits.

    Args:
        data: the data set.
        train, val: see `two_splits`.
        stored: fields of the samples that the format stores, besides those in `STORED`.

    Raises:
        DataError: a split does not exist or is empty (kind `split`), or a sample has no
            single class (kind `label`).
    """
    names = two_splits(data, train, val)
    splits = data.splits or {}
    members = [set(splits[name]) for name in names]
    rows: tuple[list[Row], list[Row]] = ([], [])
    lost: Counter[str] = Counter()
    scored = False
    first: tuple[Row, bool] | None = None
    for sample in data.read(0):
        name, keypoint = sample["frame_dir"], sample["keypoint"]
        if not any(name in split for split in members):
            lost["samples in neither split"] += 1
            continue
        scored = sample.get("keypoint_score") is not None
        persons, frames, joints, channels = keypoint.shape
        shape = (persons, frames, joints, channels + scored)
        row = Row(name, single_label(sample), shape, sample.get("img_shape"))
        if name in members[0] and name in members[1]:
            raise DataError(
                f"the sample is in the splits {names[0]!r} and {names[1]!r}, expected one "
                "of them",
                kind="split",
                sample=name,
                field="split",
            )
        rows[name in members[1]].append(row)
        first = first or (row, scored)
        if row.shape[2:] != first[0].shape[2:] or scored != first[1]:
            raise DataError(
                f"the sample has {row.shape[2]} joints with {row.shape[3]} numbers each, "
                f"expected {first[0].shape[2]} and {first[0].shape[3]} as in sample "
                f"{first[0].name!r}. Store scores of all samples or none.",
                kind="score" if scored != first[1] else "shape",
                sample=name,
            )
        lost.update(f"field {key!r}" for key in sample.keys() - STORED - {*stored})
        if keypoint.dtype != np.float32:
            lost[f"dtype {keypoint.dtype}, converted to float32"] += 1
    for name, side in zip(names, rows, strict=True):
        if not side:
            raise DataError(
                f"the split {name!r} is empty, expected at least one sample",
                kind="split",
                field="split",
            )
        in_order = [row.name for row in side]
        known = set(in_order)
        if in_order != [key for key in splits[name] if key in known]:
            lost[f"order of the samples in split {name!r}"] = 1
    lost.update(f"split {name!r}" for name in splits if name not in names)
    classes = 1 + max(row.label for side in rows for row in side)
    classes = max(classes, len(data.meta.get("classes", ())))
    return Sides(names, rows, scored, classes, dict(lost))


def single_label(sample: Sample) -> int:
    """Return the label of a sample with a single class.

    Raises:
        DataError: the sample has no label, or several (kind `label`).
    """
    label = sample.get("label")
    if isinstance(label, int | np.integer) and label >= 0:
        return int(label)
    raise DataError(
        f"the label is {label!r:.40}, but the format stores one class per sample. Choose "
        "an output that ends in .pkl or .packed.",
        kind="label",
        sample=sample["frame_dir"],
        field="label",
    )


def sequences(data: DataSet, options: ReadOptions) -> list[Sample]:
    """Return the samples of a split, or of all splits, for predictions."""
    names = None
    if options.split is not None:
        if options.split not in (data.splits or {}):
            available = ", ".join(map(repr, data.splits or {})) or "none"
            raise DataError(
                f"the file has no split {options.split!r}. Its splits are: {available}.",
                kind="split",
            )
        names = set((data.splits or {})[options.split])
    layout = options.layout or data.meta.get("layout")
    fields = {"layout": layout, "unit": options.unit}
    return [
        {"img_shape": options.img_shape, **sample, **fields}
        for sample in data.read(0)
        if names is None or sample["frame_dir"] in names
    ]


def layout_fields(layout: Layout | None) -> dict[str, Any]:
    """Return the fields of `meta` that describe a layout."""
    if layout is None:
        return {}
    named = {"layout": layout} if isinstance(layout, str) else {}
    return {**named, **layout_meta(layout)}


def guessed_layout(joints: int) -> str:
    """Return the layout of a file with one or two persons and this number of joints.

    Args:
        joints: number of persons times the number of joints.

    Raises:
        DataError: no layout fits, or layouts with different numbers of joints fit (kind
            `layout`).
    """
    fitting = {
        name: len(body.joints)
        for persons in (2, 1)
        for name, body in SKELETONS.items()
        if persons * len(body.joints) == joints
    }
    if len(set(fitting.values())) == 1:
        return next(iter(fitting))  # the most common
    raise DataError(
        f"the file has {joints} joints per frame, which fit "
        f"{' or '.join(fitting) or 'no known layout'} for one or two persons. Pass the "
        "layout of the file (--layout).",
        kind="layout",
        field="layout",
    )


def trimmed(keypoint: np.ndarray, data: DataSet) -> np.ndarray:
    """Remove the padding of a sample: trailing frames and persons.

    Trailing frames are padding if they are zero for all persons, or if they repeat the
    sequence from its start, as in the preprocessing of 2s-AGCN. Trailing persons are
    padding if they are zero in all frames.

    Args:
        keypoint: keypoints, [M, T, V, C].
        data: data set for the notes.

    Returns:
        Keypoints, [M', T', V, C] with M' and T' of at least 1.
    """
    present: NDArray[np.bool_] = np.any(keypoint, axis=(2, 3))  # (M, T)
    frames = int(np.flatnonzero(np.any(present, axis=0)).max(initial=0)) + 1
    persons = int(np.flatnonzero(np.any(present, axis=1)).max(initial=0)) + 1
    data_frames = keypoint.shape[1]
    data.note("frames of zeros after the end, removed", data_frames - frames)
    data.note("absent persons, removed", len(keypoint) - persons)
    keypoint = keypoint[:persons, :frames]
    if data_frames > frames:
        return keypoint  # padded with zeros
    # 2s-AGCN repeats each person separately.
    periods = [_period(person) for person in keypoint]
    data.note("frames that repeat the sequence, removed", frames - max(periods))
    keypoint = keypoint[:, : max(periods)]
    if min(periods) < max(periods):
        keypoint = keypoint.copy()
        for person, period in zip(keypoint, periods, strict=True):
            person[period:] = 0
    return keypoint


def _period(person: np.ndarray) -> int:
    """Return the number of frames after which a person [T, V, C] repeats until the end.

    A still person is not a repetition, and neither is a last frame that equals the first.
    """
    frames = len(person)
    flat = person.reshape(frames, -1)
    starts = np.flatnonzero((flat[1:-1] == flat[0]).all(axis=1)) + 1
    for period in starts:
        if (flat[period:] == flat[:-period]).all():
            still = bool((flat[:period] == flat[0]).all())
            return frames if still else int(period)
    return frames


def labeled_sample(name: str, label: int, keypoint: np.ndarray, scored: bool) -> Sample:
    """Return a sample of keypoints [M, T, V, C].

    If `scored`, the third channel contains the scores.
    """
    sample: Sample = {
        "frame_dir": name,
        "label": int(label),
        "total_frames": keypoint.shape[1],
        "keypoint": np.ascontiguousarray(keypoint[..., :2] if scored else keypoint),
    }
    if scored:
        sample["keypoint_score"] = np.ascontiguousarray(keypoint[..., 2])
    return sample


def joined_channels(sample: Sample) -> np.ndarray:
    """Return keypoints with scores, if there are any, as float32 [M, T, V, C]."""
    keypoint = np.asarray(sample["keypoint"], np.float32)
    score = sample.get("keypoint_score")
    if score is None:
        return keypoint
    return np.concatenate([keypoint, np.asarray(score, np.float32)[..., None]], -1)
