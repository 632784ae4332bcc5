"""Find all faults of annotations, and measure the valid samples, one by one."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...io.progress import progress
from ...skeletons import Skeleton, skeleton
from ...skeletons.body_size import is_hand
from ..check import Annotations, file_faults, id_faults, id_field, split_faults
from ..columns import Column
from ..faults import KINDS
from ..sample_check import labels_of, sample_faults
from ..samples import Sample, SampleSource, Summary
from .across import (
    axes_faults,
    copy_faults,
    joint_faults,
    marker_faults,
    scale_faults,
)
from .content import content_faults
from .coordinates import (
    axis_of,
    fitting_layouts,
    guess_unit,
    handedness,
    has_feet,
    layout_faults,
    mirror_faults,
    own_layout,
    unit_faults,
    up_direction,
)
from .labels import class_faults, class_names, split_content_faults
from .measures import measure
from .outline import Outline
from .result import Inspection
from .tracks import track_faults


def inspect_annotations(
    data: Annotations | SampleSource,
    layout: str | None = None,
    multi_class: bool = False,
) -> Inspection:
    """Find all faults of annotations, and measure the valid samples.

    A store is read sample by sample, twice, and once more for each pair of a training and
    a test split. It requires about 400 bytes of memory per sample, 12 bytes per frame of
    a test split, and at most `MOST_LISTED` faults of each kind.

    Args:
        data: annotations as returned by `load_annotations`, or a store as returned by
            `load_store`.
        layout: name or `.json` file of the expected skeleton layout. By default, it is
            guessed.
        multi_class: whether a label may be a list of labels.

    Raises:
        ConfigError: the layout is unknown (kind `layout`).
        DataError: a sample of the store cannot be read (see `Store`).
    """
    if layout:
        skeleton(layout)
    result = Inspection()
    samples, rest = _contents(data, result)
    result.samples, result.classes = len(samples), class_names(rest)
    if not len(samples):
        return result

    outline = Outline(id_field(samples))
    reading = (samples[number] for number in _steps(len(samples), "reading"))
    result.add_all(id_faults(map(outline.add, reading), outline.key))
    result.ids = list(outline.rows)
    splits = (
        rest.get("split")
        if isinstance(data, (dict, list))
        else data.split_ids(outline.ids)
    )
    _inspect_splits(splits, outline.rows, result)
    common = outline.common()
    result.add_all(axes_faults(outline.shapes.array, outline.only_keypoints))
    result.add_all(layout_faults(common.joints, layout, common.sample))
    layouts = [layout] if layout else fitting_layouts(rest, common.joints)
    body = skeleton(layouts[0]) if layouts else None
    first = outline.first.array
    del outline  # large

    meta = rest.get("meta")
    checker = _Checker(
        result,
        common,
        multi_class,
        body=body if body and len(body.joints) == common.joints else None,
        mirrored=bool(layout) and common.channels == 3,
        ranked=isinstance(meta, dict) and meta.get("persons") == "rank",
    )
    for row in _steps(len(first), "checking"):
        checker.add(row, samples[int(first[row])])

    measures, ids = result.measures, result.ids
    result.layouts = [layout] if layout else []
    if len(measures):
        result.joints, result.channels = common.joints, common.channels
        result.scored, result.layouts = common.scored, layouts
        result.body = checker.body
    result.add_all(class_faults(rest, ids, result.labels))
    result.add_all(split_content_faults(result.splits, ids, result.labels))
    result.add_all(scale_faults(measures, ids))
    result.add_all(joint_faults(measures))
    result.add_all(marker_faults(measures, ids, result.channels))
    keypoints = _Keypoints(samples, first, measures.sample.array)
    hashes = checker.hashes.array
    result.add_all(copy_faults(keypoints, hashes, ids, result.splits, result.labels))
    if not result.layouts:
        result.own_layout = own_layout(rest, result.joints)
    hand = body is not None and is_hand(body.joints)
    result.unit = guess_unit(measures, hand)
    result.add_all(unit_faults(rest, measures, result.channels, result.unit))
    result.up = axis_of(checker.directions.array)
    if len(checker.hands.array):
        measured = [ids[row] for row in measures.sample.array]
        result.add_all(mirror_faults(measured, checker.hands.array))
    order = {kind: number for number, kind in enumerate(KINDS)}
    result.faults.sort(key=lambda fault: order[fault.kind])
    return result


def _contents(
    data: Annotations | SampleSource, result: Inspection
) -> tuple[Sequence[Sample] | SampleSource, dict[str, Any]]:
    """Return the samples and the data besides them, and add faults of their form."""
    if not isinstance(data, (dict, list)):
        return data, data.rest()
    result.add_all(file_faults(data))
    samples = data.get("annotations") if isinstance(data, dict) else data
    samples = samples if isinstance(samples, list) else []
    samples = [sample for sample in samples if isinstance(sample, dict)]
    return samples, data if isinstance(data, dict) else {}


def _steps(count: int, what: str) -> Iterator[int]:
    return progress(range(count), what, unit="sample")


def _inspect_splits(splits: object, rows: dict[str, int], result: Inspection) -> None:
    if not isinstance(splits, dict):
        return
    result.add_all(split_faults(splits, list(splits), rows))
    for split, ids in splits.items():
        if isinstance(ids, (list, tuple, set, frozenset, np.ndarray)) and len(ids):
            known = (
                rows[name] for name in ids if isinstance(name, str) and name in rows
            )
            result.splits[str(split)] = np.fromiter(known, np.int64)


@dataclass
class _Checker:
    """Checks of one sample after another, and values to compare them.

    Attributes:
        result: receives faults, labels, measurements, and tracking errors.
        common: properties that all samples must share.
        multi_class: whether a label may be a list of labels.
        body: layout of the samples; None if unknown.
        mirrored: whether to find samples with left and right swapped.
        ranked: whether persons are sorted by a rank instead of tracked.
        hashes: hash of each measured sample; 0 without persons.
        hands: `handedness` of each measured sample, if `mirrored` and `body` has feet.
        directions: `up_direction` of the measured samples that have one.
    """

    result: Inspection
    common: Summary
    multi_class: bool
    body: Skeleton | None
    mirrored: bool
    ranked: bool
    hashes: Column = field(default_factory=lambda: Column(np.int64))
    hands: Column = field(default_factory=lambda: Column(np.float64))
    directions: Column = field(default_factory=Column)

    def add(self, row: int, sample: Sample) -> None:
        """Check the sample of the id with number `row`."""
        result, name = self.result, self.result.ids[row]
        faults = list(sample_faults(sample, name, self.common, True, self.multi_class))
        result.add_all(faults)
        fields = {fault.field for fault in faults}
        labels = None
        if "label" in sample and "label" not in fields:
            labels = [int(n) for n in labels_of(sample["label"], self.multi_class)]
        result.labels.append(labels)
        if "keypoint" in fields:
            return
        scored = "keypoint_score" not in fields and self.common.scored
        measures = measure(sample, scored)
        result.measures.add(row, measures)
        result.add_all(content_faults(sample, name, measures))
        keypoint = sample["keypoint"]
        self.hashes.append(hash(keypoint.tobytes()) if measures.person_frames else 0)
        if self.body:
            up = up_direction(keypoint, self.body)
            if up is not None:
                self.directions.append(up)
            if self.mirrored and has_feet(self.body):
                self.hands.append(handedness(keypoint, self.body))
        for fault, event in track_faults(name, keypoint, self.body):
            # Rows that are ranks instead of persons are exchanged on purpose.
            if self.ranked and fault.kind == "persons-swapped":
                continue
            if result.add(fault):
                result.events.append(event)


class _Keypoints(Mapping[int, np.ndarray]):
    """Keypoints of the measured samples by the number of their id, read on access."""

    def __init__(
        self,
        samples: Sequence[Sample] | SampleSource,
        first: np.ndarray,
        rows: np.ndarray,
    ) -> None:
        self._samples, self._first, self._rows = samples, first, rows

    def __getitem__(self, row: int) -> np.ndarray:
        keypoint: np.ndarray = self._samples[int(self._first[row])]["keypoint"]
        return keypoint

    def __iter__(self) -> Iterator[int]:
        return iter(self._rows.tolist())

    def __len__(self) -> int:
        return len(self._rows)
