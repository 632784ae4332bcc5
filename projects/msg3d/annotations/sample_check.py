"""Check the form of one sample, and its consistency with the other samples.

The faults in this module make training fail. `check_annotations` raises the first fault
before training, and `inspection` collects all faults.
"""

from collections.abc import Iterator, Sequence
from typing import Any, TypeGuard

import numpy as np

from ..skeletons.axes import guess_axes
from .faults import Fault, shown
from .samples import Sample, Summary
from .targets import target_faults


def is_numeric(array: object) -> TypeGuard[np.ndarray]:
    """Return True for a NumPy array of integers or floats."""
    return isinstance(array, np.ndarray) and array.dtype.kind in "fiu"


def labels_of(label: Any, multi_class: bool) -> Sequence[Any] | np.ndarray:
    """Return the labels of a sample as a sequence.

    The result is `label` itself if it is a list and `multi_class` allows lists.
    """
    if multi_class and isinstance(label, (list, tuple)):
        return label
    if multi_class and isinstance(label, np.ndarray) and label.ndim:
        return label
    return [label]


def sample_faults(
    sample: Sample, name: str, common: Summary, keypoints: bool, multi_class: bool
) -> Iterator[Fault]:
    """Check the form of one sample, and its consistency with other samples.

    Args:
        sample, name: the sample and its id.
        common: properties that all samples must share. Updated with this sample.
        keypoints: False if keypoints are stored in separate files
            (`data_prefix.skeleton`).
        multi_class: whether a label may be a list of labels.
    """
    fields = ["label", "total_frames", "keypoint"] if keypoints else ["label"]
    if "targets" in sample and "label" not in sample:
        common.without_label = common.without_label or name
        del fields[0]
    for field in fields:
        if field not in sample:
            yield Fault(
                f"{field.replace('_', '-')}-missing",
                f"{field!r} is missing. The sample has "
                f"{', '.join(sorted(map(repr, sample)))}.",
                name,
                field,
            )
    if "label" in sample:
        for label in labels_of(sample["label"], multi_class):
            if isinstance(label, bool) or not isinstance(label, (int, np.integer)):
                kind = "label-kind"
            elif label < 0:
                kind = "label-negative"
            else:
                if label > common.max_label:
                    common.max_label, common.max_label_sample = int(label), name
                continue
            text = f"'label' is {shown(label)}, expected a non-negative integer"
            yield Fault(kind, text, name, "label")
    yield from target_faults(sample, name, common)
    common.sample = common.sample or name
    if keypoints and "keypoint" in sample:
        yield from _keypoint_faults(sample, name, common)


def _keypoint_faults(sample: Sample, name: str, common: Summary) -> Iterator[Fault]:
    keypoint = sample["keypoint"]
    if not is_numeric(keypoint):
        kind = getattr(keypoint, "dtype", type(keypoint).__name__)
        yield _keypoint_fault(
            name,
            "keypoint-kind",
            f"is of type {kind}, expected a numeric array [M, T, V, C]",
        )
        return
    shape, stated = keypoint.shape, sample.get("total_frames")
    total = int(stated) if isinstance(stated, (int, np.integer)) else None
    if keypoint.ndim != 4:
        hint = ". For one person, store keypoint[None]." if keypoint.ndim == 3 else ""
        yield _keypoint_fault(
            name,
            "keypoint-axes",
            f"has shape {shape}, expected four axes [M, T, V, C]{hint}",
        )
        return
    persons, frames, joints, channels = shape
    if persons > common.persons:
        common.persons, common.persons_sample = persons, name
    for count, what in ((persons, "persons"), (frames, "frames"), (joints, "joints")):
        if count == 0:
            yield _keypoint_fault(
                name,
                "keypoint-empty",
                f"has shape {shape}, which contains no {what}. Remove the sample.",
            )
            return
    if total is not None and (channels not in (2, 3) or total != frames):
        elsewhere = common.joints if name != common.sample else None
        axes = guess_axes(shape, total, elsewhere)
        if axes:
            yield _keypoint_fault(
                name,
                "keypoint-axes",
                f"has axes in the order {axes.names}, judging by its shape {shape} and "
                f"'total_frames' {stated}, expected [M, T, V, C]. Store "
                f"keypoint.{axes.fix}.",
            )
            return
    if channels not in (2, 3):
        yield _keypoint_fault(
            name,
            "keypoint-channels",
            f"has {channels} channels (shape {shape}), expected 2 (x, y) or "
            "3 (x, y, z). Store scores in 'keypoint_score'.",
        )
        return
    scored = sample.get("keypoint_score") is not None
    if common.joints is None:
        common.joints, common.channels, common.scored = joints, channels, scored
    for what, value, first in (
        ("joints", joints, common.joints),
        ("channels", channels, common.channels),
    ):
        if value != first:
            yield _keypoint_fault(
                name,
                f"{what}-differ",
                f"has {value} {what} (shape {shape}), expected {first} as in sample "
                f"{common.sample!r}",
            )
    if scored != common.scored:
        yield Fault(
            "score-missing",
            f"'keypoint_score' is {'present' if scored else 'missing'}, unlike in sample "
            f"{common.sample!r}. Store scores in all samples or in none.",
            name,
            "keypoint_score",
        )
    if "total_frames" in sample and total != frames:
        yield Fault(
            "total-frames",
            f"'total_frames' is {shown(stated)}, expected {frames}, the number of frames "
            f"in 'keypoint' (shape {shape})",
            name,
            "total_frames",
        )
    if not _all_finite(keypoint):
        yield _not_finite("keypoint", keypoint, name)
    if scored:
        score = sample["keypoint_score"]
        if not is_numeric(score) or score.shape != shape[:3]:
            numeric, name_of_type = is_numeric(score), type(score).__name__
            actual = f"has shape {score.shape}" if numeric else f"is a {name_of_type}"
            yield Fault(
                "score-kind",
                f"'keypoint_score' {actual}, expected a numeric array of shape "
                f"{shape[:3]} with one score per joint",
                name,
                "keypoint_score",
            )
        elif not _all_finite(score):
            yield _not_finite("keypoint_score", score, name)


def _keypoint_fault(name: str, kind: str, text: str) -> Fault:
    return Fault(kind, f"'keypoint' {text}", name, "keypoint")


def _all_finite(array: np.ndarray) -> bool:
    # For small arrays, searching for a zero byte is four times as fast as `all`.
    return 0 not in np.isfinite(array).tobytes()


def _not_finite(field: str, array: np.ndarray, name: str) -> Fault:
    indices = np.argwhere(~np.isfinite(array))
    location = ", ".join(
        f"{axis} {index}"
        for axis, index in zip(("person", "frame", "joint"), indices[0], strict=False)
    )
    return Fault(
        "keypoint-not-finite" if field == "keypoint" else "score-not-finite",
        f"{field!r} has {len(indices)} NaN or infinite values, first at {location}. Fix "
        "the values, or remove the sample.",
        name,
        field,
    )
