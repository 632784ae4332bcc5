"""Check annotations before training: containers, ids, splits, and every sample.

MMAction2 does not validate annotation files, so a faulty file either fails in the middle
of training or silently trains a wrong model. `check_annotations` raises the first fault;
`inspection` collects all faults and runs more checks. Functions that yield faults
continue after a fault where possible.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from typing import Any

import numpy as np

from ..errors import DataError
from .faults import Fault, shown
from .sample_check import sample_faults
from .samples import Sample, Summary

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
    """Raise the first fault that would make training fail or learn nothing.

    Args:
        data: annotations as `load_annotations` returns them.
        split: the split to check; None checks all samples and all splits.
        source: name of the file, for errors.
        keypoints: False if keypoints are stored in separate files
            (`data_prefix.skeleton`).
        multi_class: whether a label may be a list of labels.

    Returns:
        The properties that the checked samples share.

    Raises:
        DataError: the first fault, with its sample and field (a kind of
            `faults.KINDS`), or a missing split (`split`).
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
                f"has no split {split!r}: choose one of {list(splits)} (--split, or `split` of a config)",
                kind="split",
                file=source,
                field="split",
            )
        names = list(splits) if split is None else [split]
        raise_first(split_faults(splits, names, selected), source)
        selected = selected if split is None else set(splits[split])
    elif split is not None:
        raise DataError(
            f"is a plain list, which has no split {split!r}: set split=None, or write "
            "dict(split=..., annotations=...)",
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
    """Return the list of samples, for annotations of either form.

    Raises:
        DataError: the data are neither a list of dictionaries nor a dictionary with
            `split` and `annotations`.
    """
    raise_first(file_faults(data), source)
    return data["annotations"] if isinstance(data, dict) else data


def raise_first(faults: Iterable[Fault], source: str) -> None:
    """Raise the first fault, if any, as a DataError of the same kind."""
    for fault in faults:
        raise DataError(
            fault.text,
            kind=fault.kind,
            file=source,
            sample=fault.sample,
            field=fault.field,
        )


def id_field(samples: list[Sample]) -> str:
    """Return the field that holds the sample ids, chosen as in PoseDataset."""
    return "filename" if "filename" in samples[0] else "frame_dir"


def file_faults(data: object) -> Iterator[Fault]:
    """Check the containers: keys, lists, and dictionaries."""
    if isinstance(data, dict):
        for key, kind in (("split", dict), ("annotations", list)):
            if not isinstance(data.get(key), kind):
                actual = type(data[key]).__name__ if key in data else "missing"
                yield Fault(
                    "form",
                    f"key {key!r} is {actual}, expected a {kind.__name__} in "
                    "dict(split={name: [ids]}, annotations=[...])",
                    field=key,
                )
        data = data.get("annotations")
    if not isinstance(data, list):
        return
    if not data:
        yield Fault("no-samples", "contains no annotations, expected at least one")
    for number, sample in enumerate(data):
        if not isinstance(sample, dict):
            yield Fault(
                "sample-kind",
                f"annotation {number} is a {type(sample).__name__}, expected "
                "a dict(frame_dir, label, total_frames, keypoint)",
            )


def id_faults(samples: list[Sample], key: str) -> Iterator[Fault]:
    """Find ids that are missing, not text, or repeated."""
    for number, sample in enumerate(samples):
        if not isinstance(sample.get(key), str):
            actual = shown(sample[key]) if key in sample else "missing"
            yield Fault(
                "id-missing",
                f"{key} is {actual}, expected the id (text) that splits use",
                sample=number,
                field=key,
            )
    ids = [sample[key] for sample in samples if isinstance(sample.get(key), str)]
    if len(set(ids)) < len(ids):
        for name, count in Counter(ids).most_common():
            if count == 1:
                break
            yield Fault(
                "id-twice",
                f"{key} {name!r} belongs to {count} annotations: keep one",
                field=key,
            )


def split_faults(
    splits: dict[str, Any], names: Iterable[str], known: Collection[str]
) -> Iterator[Fault]:
    """Find splits that are not lists, are empty, or contain unknown ids.

    Args:
        splits: split name -> ids, as in the file.
        names: names of the splits to check.
        known: ids of the annotations.
    """
    for split in names:
        ids, field = splits[split], f"split[{split!r}]"
        if not isinstance(ids, (list, tuple, set, frozenset, np.ndarray)):
            yield Fault(
                "split-kind",
                f"split {split!r} is a {type(ids).__name__}, expected a list of ids",
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
                f"split {split!r} contains {shown(unknown[0])}, which has no annotation "
                f"({len(unknown)} of {len(ids)} ids): remove it or add its annotation",
                field=field,
            )
