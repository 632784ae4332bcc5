"""Check the containers, ids, splits, and samples of annotations before training.

MMAction2 does not validate annotation files, so a faulty file either fails in the middle
of training or silently trains a wrong model. `check_annotations` raises the first fault;
`inspection` collects all faults and runs more checks. Functions named `*_faults` yield
faults, and continue after a fault where possible.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from ..errors import DataError
from .faults import Fault, shown
from .sample_check import sample_faults
from .samples import Sample, SampleSource, Summary

__all__ = [
    "Annotations",
    "Summary",
    "check_annotations",
    "file_faults",
    "id_faults",
    "id_field",
    "raise_first",
    "samples_of",
    "split_faults",
]

Annotations = dict[str, Any] | list[Sample]


def check_annotations(
    data: Annotations,
    split: str | None = None,
    source: str = "annotations",
    keypoints: bool = True,
    multi_class: bool = False,
) -> Summary:
    """Check annotations, and raise an error for the first fault.

    Args:
        data: annotations as returned by `load_annotations`.
        split: the split to check. None checks all samples and all splits.
        source: name of the file, for error messages.
        keypoints: False if keypoints are stored in separate files
            (`data_prefix.skeleton`).
        multi_class: whether a label may be a list of labels.

    Returns:
        The properties that the checked samples share.

    Raises:
        DataError: the annotations have a fault (a kind of `faults.KINDS`), or the split
            does not exist (kind `split`).
    """
    samples = samples_of(data, source)
    key = id_field(samples)
    raise_first(id_faults(samples, key), source)
    ids = [sample[key] for sample in samples]
    selected = set(ids)
    if isinstance(data, dict):
        splits = data["split"]
        if split is not None and split not in splits:
            raise DataError(
                f"the file has no split {split!r}, expected one of "
                f"{', '.join(map(repr, splits))}. Set --split, or `split` in the config.",
                kind="split",
                file=source,
                field="split",
            )
        names = list(splits) if split is None else [split]
        raise_first(split_faults(splits, names, selected), source)
        selected = selected if split is None else set(splits[split])
    elif split is not None:
        raise DataError(
            f"the file is a list of annotations without splits, but split is {split!r}. "
            "Set split=None, or add splits to the file.",
            kind="split",
            file=source,
            field="split",
        )
    summary = Summary(source, samples=len(selected))
    for name, sample in zip(ids, samples, strict=True):
        if name in selected:
            faults = sample_faults(sample, name, summary, keypoints, multi_class)
            raise_first(faults, source)
    return summary


def samples_of(data: Annotations, source: str) -> list[Sample]:
    """Return the list of samples of annotations with or without splits.

    Raises:
        DataError: the data are neither a list of dictionaries nor a dictionary with
            `split` and `annotations` (a kind of `faults.KINDS`).
    """
    raise_first(file_faults(data), source)
    return data["annotations"] if isinstance(data, dict) else data


def raise_first(faults: Iterable[Fault], source: str) -> None:
    """Raise the first fault, if there is one, as a DataError of the same kind."""
    for fault in faults:
        raise DataError(
            fault.text,
            kind=fault.kind,
            file=source,
            sample=fault.sample,
            field=fault.field,
        )


def id_field(samples: Sequence[Sample] | SampleSource) -> str:
    """Return the field that contains the sample ids, as in PoseDataset."""
    return "filename" if "filename" in samples[0] else "frame_dir"


def file_faults(data: object) -> Iterator[Fault]:
    """Check the keys, lists, and dictionaries that contain the samples."""
    if isinstance(data, dict):
        for key, kind, expected in (
            ("split", dict, "a dictionary of split names and lists of ids"),
            ("annotations", list, "a list of annotations"),
        ):
            if not isinstance(data.get(key), kind):
                name = type(data.get(key)).__name__
                actual = f"of type {name}" if key in data else "missing"
                yield Fault(
                    "form", f"{key!r} is {actual}, expected {expected}", field=key
                )
        data = data.get("annotations")
    if not isinstance(data, list):
        return
    if not data:
        yield Fault("no-samples", "the file has no annotations, expected at least one")
    for number, sample in enumerate(data):
        if not isinstance(sample, dict):
            yield Fault(
                "sample-kind",
                f"annotation {number} is of type {type(sample).__name__}, expected a "
                "dictionary with 'frame_dir', 'label', 'total_frames', and 'keypoint'",
            )


def id_faults(samples: Iterable[Sample], key: str) -> Iterator[Fault]:
    """Find ids that are missing, not text, or repeated."""
    ids = []
    for number, sample in enumerate(samples):
        if isinstance(sample.get(key), str):
            ids.append(sample[key])
        else:
            actual = shown(sample[key]) if key in sample else "missing"
            yield Fault(
                "id-missing",
                f"{key!r} is {actual}, expected the id of the sample as text",
                sample=number,
                field=key,
            )
    if len(set(ids)) < len(ids):
        for name, count in Counter(ids).most_common():
            if count == 1:
                break
            yield Fault(
                "id-twice",
                f"{count} annotations have the {key!r} {name!r}, expected unique ids. "
                "Keep one of them.",
                field=key,
            )


def split_faults(
    splits: dict[str, Any], names: Iterable[str], known: Collection[str]
) -> Iterator[Fault]:
    """Find splits that are not lists, are empty, or contain unknown ids.

    Args:
        splits: split names and lists of ids, as in the file.
        names: names of the splits to check.
        known: ids of all annotations in the file.
    """
    for split in names:
        ids, field = splits[split], f"split[{split!r}]"
        if not isinstance(ids, (list, tuple, set, frozenset, np.ndarray)):
            yield Fault(
                "split-kind",
                f"split {split!r} is of type {type(ids).__name__}, expected a list of ids",
                field=field,
            )
            continue
        if len(ids) == 0:
            yield Fault(
                "split-empty",
                f"split {split!r} is empty, expected at least one id",
                field=field,
            )
        unknown = [
            name for name in ids if not isinstance(name, str) or name not in known
        ]
        if unknown:
            yield Fault(
                "split-unknown-id",
                f"{len(unknown)} of {len(ids)} ids in split {split!r} have no annotation, "
                f"such as {shown(unknown[0])}. Remove them, or add their annotations.",
                field=field,
            )
