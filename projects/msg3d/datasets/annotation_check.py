"""The check of annotations before training: form, splits and every sample.

MMAction2 checks nothing: a wrong file fails in the middle of training, or trains to
nothing. `annotations.py` says what the form is.
"""

from collections import Counter
from dataclasses import dataclass

import numpy as np

Annotations = dict | list[dict]


class AnnotationError(ValueError):
    """An annotation file cannot be used; the text says where and how to mend it."""


@dataclass
class Summary:
    """What `check_annotations` saw, kept so that nobody has to read it again.

    Attributes:
        source: the file, for messages.
        samples: how many were checked.
        sample: id of the first, whose joints and channels all others share.
        joints: V, None where keypoints are stored apart.
        channels: C of `keypoint`, None likewise.
        scored: whether samples carry `keypoint_score`.
        max_label: the largest label, and `max_label_sample` the id it belongs to.
    """

    source: str
    samples: int = 0
    sample: str = ""
    joints: int | None = None
    channels: int | None = None
    scored: bool = False
    max_label: int = -1
    max_label_sample: str = ""


def check_annotations(
    data: Annotations,
    split: str | None = None,
    source: str = "annotations",
    keypoints: bool = True,
    multi_class: bool = False,
) -> Summary:
    """Find the first thing that training would stumble over, or learn nothing from.

    Args:
        data: as `load_annotations` returns it.
        split: whose samples to check; None for all samples and all splits.
        source: the file's name, for messages.
        keypoints: False where they lie in files apart (`data_prefix.skeleton`).
        multi_class: whether a label may be a list of labels.

    Returns:
        What the checked samples have in common.

    Raises:
        AnnotationError: the first fault, with its sample and field.
    """
    samples = samples_of(data, source)
    key = id_field(samples)
    ids = [_id_of(number, sample, key, source) for number, sample in enumerate(samples)]
    if len(set(ids)) < len(ids):
        twice, times = Counter(ids).most_common(1)[0]
        raise AnnotationError(
            f"{source}: {key} {twice!r} belongs to {times} annotations: leave one"
        )
    wanted = set(ids)
    if isinstance(data, dict):
        names = list(data["split"]) if split is None else [split]
        chosen = [_ids_of(data["split"], name, wanted, source) for name in names]
        wanted = wanted if split is None else chosen[0]
    elif split is not None:
        raise AnnotationError(
            f"{source}: is a plain list, which has no split {split!r}: set split=None, "
            "or write dict(split=..., annotations=...)"
        )
    summary = Summary(source, samples=len(wanted))
    for name, sample in zip(ids, samples):
        if name in wanted:
            try:
                _check_sample(sample, name, summary, keypoints, multi_class)
            except _Fault as fault:
                raise AnnotationError(f"{source}: sample {name!r}: {fault}") from None
    return summary


def id_field(samples: list[dict]) -> str:
    """The field that holds the samples' ids, chosen as PoseDataset does."""
    return "filename" if "filename" in samples[0] else "frame_dir"


def is_numeric(array) -> bool:
    """Whether this is a numpy array of integers or floats."""
    return isinstance(array, np.ndarray) and array.dtype.kind in "fiu"


class _Fault(Exception):
    """A fault of one sample, before its file and id are put in front."""


def samples_of(data: Annotations, source: str) -> list[dict]:
    """The samples of either form, each known to be a dictionary."""
    if isinstance(data, dict):
        for key, kind in (("split", dict), ("annotations", list)):
            if not isinstance(data.get(key), kind):
                found = type(data[key]).__name__ if key in data else "missing"
                raise AnnotationError(
                    f"{source}: key {key!r} is {found}, expected a {kind.__name__} in "
                    "dict(split={name: [ids]}, annotations=[...])"
                )
        data = data["annotations"]
    if not data:
        raise AnnotationError(f"{source}: holds no annotations, expected at least one")
    for number, sample in enumerate(data):
        if not isinstance(sample, dict):
            raise AnnotationError(
                f"{source}: annotation {number} is a {type(sample).__name__}, expected "
                "a dict(frame_dir, label, total_frames, keypoint)"
            )
    return data


def _id_of(number: int, sample: dict, key: str, source: str) -> str:
    if not isinstance(sample.get(key), str):
        found = repr(sample[key]) if key in sample else "missing"
        raise AnnotationError(
            f"{source}: annotation {number}: {key} is {found}, expected the text that "
            "the splits name it by"
        )
    return sample[key]


def _ids_of(splits: dict, name: str, known: set, source: str) -> set:
    """The ids of one split, each known to have an annotation."""
    if name not in splits:
        raise AnnotationError(
            f"{source}: has no split {name!r}: set `split` to one of {list(splits)}"
        )
    ids = splits[name]
    if not isinstance(ids, (list, tuple, set, frozenset, np.ndarray)):
        raise AnnotationError(
            f"{source}: split {name!r} is a {type(ids).__name__}, expected a list of ids"
        )
    if len(ids) == 0:
        raise AnnotationError(
            f"{source}: split {name!r} is empty, expected at least one id"
        )
    lost = [one for one in ids if not isinstance(one, str) or one not in known]
    if lost:
        raise AnnotationError(
            f"{source}: split {name!r} names {lost[0]!r}, which has no annotation "
            f"({len(lost)} of {len(ids)} ids): take it out or add its annotation"
        )
    return set(ids)


def _check_sample(
    sample: dict, name: str, summary: Summary, keypoints: bool, multi_class: bool
) -> None:
    """Check one sample against the form and against those before it."""
    fields = ("label", "total_frames", "keypoint") if keypoints else ("label",)
    for field in fields:
        if field not in sample:
            raise _Fault(f"{field} is missing, it has {sorted(map(str, sample))}")
    labels = sample["label"]
    for label in labels if multi_class and np.ndim(labels) else [labels]:
        if isinstance(label, bool) or not isinstance(label, (int, np.integer)):
            raise _Fault(f"label is {label!r}, expected an integer from 0")
        if label < 0:
            raise _Fault(f"label is {label}, expected an integer from 0")
        if label > summary.max_label:
            summary.max_label, summary.max_label_sample = int(label), name
    summary.sample = summary.sample or name
    if keypoints:
        _check_keypoint(sample, name, summary)


def _check_keypoint(sample: dict, name: str, summary: Summary) -> None:
    keypoint = sample["keypoint"]
    if not is_numeric(keypoint):
        kind = getattr(keypoint, "dtype", type(keypoint).__name__)
        raise _Fault(
            f"keypoint is of type {kind}, expected a numeric array [M, T, V, C]"
        )
    if keypoint.ndim != 4:
        raise _Fault(
            f"keypoint has shape {keypoint.shape}, expected four axes [M, T, V, C]"
        )
    persons, frames, joints, channels = keypoint.shape
    for count, what in ((persons, "persons"), (frames, "frames"), (joints, "joints")):
        if count == 0:
            raise _Fault(
                f"keypoint has shape {keypoint.shape}, so no {what}: leave it out"
            )
    if channels not in (2, 3):
        raise _Fault(
            f"keypoint has {channels} channels (shape {keypoint.shape}), expected 2 "
            "(x, y) or 3 (x, y, z), with scores in keypoint_score"
        )
    scored = sample.get("keypoint_score") is not None
    if summary.joints is None:
        summary.joints, summary.channels, summary.scored = joints, channels, scored
    for field, value, first in (
        ("joints", joints, summary.joints),
        ("channels", channels, summary.channels),
    ):
        if value != first:
            raise _Fault(
                f"keypoint has {value} {field} (shape {keypoint.shape}), but sample "
                f"{summary.sample!r} has {first}: all must agree"
            )
    if scored != summary.scored:
        raise _Fault(
            f"keypoint_score is {'there' if scored else 'missing'}, but not so in sample "
            f"{summary.sample!r}: all samples carry it or none"
        )
    total = sample["total_frames"]
    if not isinstance(total, (int, np.integer)) or total != frames:
        raise _Fault(
            f"total_frames is {total!r}, but keypoint has {frames} frames (shape "
            f"{keypoint.shape}): they must agree"
        )
    _check_finite("keypoint", keypoint)
    if scored:
        score = sample["keypoint_score"]
        if not is_numeric(score) or score.shape != keypoint.shape[:3]:
            found = getattr(score, "shape", type(score).__name__)
            raise _Fault(
                f"keypoint_score is {found}, expected numbers of shape "
                f"{keypoint.shape[:3]}, one a joint of keypoint"
            )
        _check_finite("keypoint_score", score)


def _check_finite(field: str, array: np.ndarray) -> None:
    finite = np.isfinite(array)
    if not finite.all():
        where = np.argwhere(~finite)
        place = ", ".join(
            f"{axis} {index}"
            for axis, index in zip(("person", "frame", "joint"), where[0])
        )
        raise _Fault(
            f"{field} is NaN or infinite in {len(where)} places, first at {place}: "
            "mend the coordinates or leave the sample out"
        )
