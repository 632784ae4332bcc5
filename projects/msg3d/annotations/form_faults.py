"""Faults of an annotation file's containers: form, ids and splits.

`check_annotations` raises the first of them before training, `inspection` collects
them all. Each function goes on after a fault as far as it can.
"""

from collections import Counter
from collections.abc import Iterable, Iterator

import numpy as np

from .faults import Fault, shown


def id_field(samples: list[dict]) -> str:
    """The field that holds the samples' ids, chosen as PoseDataset does."""
    return "filename" if "filename" in samples[0] else "frame_dir"


def file_faults(data) -> Iterator[Fault]:
    """The containers: keys, lists and dictionaries."""
    if isinstance(data, dict):
        for key, kind in (("split", dict), ("annotations", list)):
            if not isinstance(data.get(key), kind):
                found = type(data[key]).__name__ if key in data else "missing"
                yield Fault(
                    "form",
                    f"key {key!r} is {found}, expected a {kind.__name__} in "
                    "dict(split={name: [ids]}, annotations=[...])",
                    field=key,
                )
        data = data.get("annotations")
    if not isinstance(data, list):
        return
    if not data:
        yield Fault("no-samples", "holds no annotations, expected at least one")
    for number, sample in enumerate(data):
        if not isinstance(sample, dict):
            yield Fault(
                "sample-kind",
                f"annotation {number} is a {type(sample).__name__}, expected "
                "a dict(frame_dir, label, total_frames, keypoint)",
            )


def id_faults(samples: list[dict], key: str) -> Iterator[Fault]:
    """Ids that are missing, no text, or there more than once."""
    for number, sample in enumerate(samples):
        if not isinstance(sample.get(key), str):
            found = shown(sample[key]) if key in sample else "missing"
            yield Fault(
                "id-missing",
                f"{key} is {found}, expected the text that the splits name it by",
                sample=number,
                field=key,
            )
    ids = [sample[key] for sample in samples if isinstance(sample.get(key), str)]
    if len(set(ids)) < len(ids):
        for twice, times in Counter(ids).most_common():
            if times == 1:
                break
            yield Fault(
                "id-twice",
                f"{key} {twice!r} belongs to {times} annotations: leave one",
                field=key,
            )


def split_faults(splits: dict, names: Iterable[str], known: set) -> Iterator[Fault]:
    """Splits that are no list, empty, or name what is not there.

    Args:
        splits: as in the file.
        names: which of them to check.
        known: ids of the annotations.
    """
    for name in names:
        ids, place = splits[name], f"split[{name!r}]"
        if not isinstance(ids, (list, tuple, set, frozenset, np.ndarray)):
            yield Fault(
                "split-kind",
                f"split {name!r} is a {type(ids).__name__}, expected a list of ids",
                field=place,
            )
            continue
        if len(ids) == 0:
            yield Fault(
                "split-empty",
                f"split {name!r} is empty, expected at least one id",
                field=place,
            )
        lost = [one for one in ids if not isinstance(one, str) or one not in known]
        if lost:
            yield Fault(
                "split-unknown-id",
                f"split {name!r} names {shown(lost[0])}, which has no annotation "
                f"({len(lost)} of {len(ids)} ids): take it out or add its annotation",
                field=place,
            )
