"""Find all faults of annotations, and measure the valid samples, in one pass."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...skeletons import Skeleton, skeleton
from ...skeletons.axes import guess_axes
from ...skeletons.body_size import is_hand
from ..check import Annotations, file_faults, id_faults, id_field, split_faults
from ..faults import ERROR, KINDS, WARNING, Fault
from ..leaks import FrameHashes
from ..sample_check import labels_of, sample_faults
from ..samples import Sample, Summary
from .across import (
    axes_faults,
    copy_faults,
    joint_faults,
    marker_faults,
    scale_faults,
)
from .content import content_faults
from .coordinates import (
    fitting_layouts,
    guess_unit,
    layout_faults,
    mirror_faults,
    own_layout,
    unit_faults,
    up_axis,
)
from .labels import Labels, Splits, class_faults, class_names, split_content_faults
from .measures import Measures, measure
from .tracks import Event, track_faults


@dataclass
class Inspection:
    """Result of `inspect_annotations`.

    Attributes:
        faults: all faults, in the order of `faults.KINDS`.
        samples: number of annotations.
        splits: ids of each split of valid form. Ids without annotation are omitted.
        labels: labels of each sample id, for samples with a valid label.
        classes: names of the classes; None if the file does not contain them.
        measures: measures of each sample id, for samples with a valid `keypoint` array.
        joints, channels: V and C of most samples; None without valid samples.
        scored: whether most samples have scores.
        layouts: the layout that the user specified, or else all matching layouts, best
            first.
        own_layout: the layout that `meta` describes, if no named layout matches.
        unit: guessed unit of the coordinates (see `skeletons.units`), or `unknown`.
        up: guessed axis from feet to head, such as `+y`; None if unclear.
        events: tracking errors.
        body: layout for figures, if known.
    """

    faults: list[Fault] = field(default_factory=list)
    samples: int = 0
    splits: Splits = field(default_factory=dict)
    labels: Labels = field(default_factory=dict)
    classes: list[str] | None = None
    measures: dict[str, Measures] = field(default_factory=dict)
    joints: int | None = None
    channels: int | None = None
    scored: bool = False
    layouts: list[str] = field(default_factory=list)
    own_layout: dict[str, Any] | None = None
    unit: str = "unknown"
    up: str | None = None
    events: list[Event] = field(default_factory=list)
    body: Skeleton | None = None

    @property
    def errors(self) -> list[Fault]:
        """Faults with severity `error`."""
        return [fault for fault in self.faults if fault.severity == ERROR]

    @property
    def warnings(self) -> list[Fault]:
        """Faults with severity `warning`."""
        return [fault for fault in self.faults if fault.severity == WARNING]


def inspect_annotations(
    data: Annotations, layout: str | None = None, multi_class: bool = False
) -> Inspection:
    """Find all faults of annotations, and measure the valid samples.

    Args:
        data: annotations as returned by `load_annotations`.
        layout: name or `.json` file of the expected skeleton layout. By default, it is
            guessed.
        multi_class: whether a label may be a list of labels.

    Raises:
        ConfigError: the layout is unknown (kind `layout`).
    """
    if layout:
        skeleton(layout)
    result = Inspection()
    result.faults += file_faults(data)
    samples = data.get("annotations") if isinstance(data, dict) else data
    samples = samples if isinstance(samples, list) else []
    samples = [sample for sample in samples if isinstance(sample, dict)]
    result.samples, result.classes = len(samples), class_names(data)
    if not samples:
        return result

    key = id_field(samples)
    result.faults += id_faults(samples, key)
    # The first sample of each id.
    by_id = {
        sample[key]: sample
        for sample in reversed(samples)
        if isinstance(sample.get(key), str)
    }
    by_id = dict(reversed(by_id.items()))
    _inspect_splits(data, by_id, result)
    common = _common(by_id)
    result.faults += axes_faults(samples)
    result.faults += layout_faults(common.joints, layout, common.sample)
    for name, sample in by_id.items():
        _inspect_sample(name, sample, common, multi_class, result)

    if result.measures:
        result.joints, result.channels = common.joints, common.channels
        result.scored = common.scored
    keypoints = {name: by_id[name]["keypoint"] for name in result.measures}
    result.faults += class_faults(data, result.labels)
    result.faults += split_content_faults(result.splits, result.labels)
    result.faults += scale_faults(result.measures)
    result.faults += joint_faults(result.measures)
    result.faults += marker_faults(result.measures)
    result.faults += copy_faults(FrameHashes(keypoints), result.splits, result.labels)
    result.layouts = [layout] if layout else fitting_layouts(data, result.joints)
    if not result.layouts:
        result.own_layout = own_layout(data, result.joints)
    body = skeleton(result.layouts[0]) if result.layouts else None
    hand = body is not None and is_hand(body.joints)
    result.unit = guess_unit(result.measures, hand)
    result.faults += unit_faults(data, result.measures, result.channels, result.unit)
    if body and len(body.joints) == result.joints:
        result.up = up_axis(keypoints, body)
        if layout and result.channels == 3:
            result.faults += mirror_faults(keypoints, body)
        result.body = body
    meta = data.get("meta") if isinstance(data, dict) else None
    ranked = isinstance(meta, dict) and meta.get("persons") == "rank"
    for name, keypoint in keypoints.items():
        for fault, event in track_faults(name, keypoint, result.body):
            # Rows that are ranks instead of persons are exchanged on purpose.
            if not (ranked and fault.kind == "persons-swapped"):
                result.faults.append(fault)
                result.events.append(event)
    order = list(KINDS)
    result.faults.sort(key=lambda fault: order.index(fault.kind))
    return result


def _inspect_splits(
    data: Annotations, by_id: dict[str, Sample], result: Inspection
) -> None:
    splits = data.get("split") if isinstance(data, dict) else None
    if not isinstance(splits, dict):
        return
    result.faults += split_faults(splits, list(splits), set(by_id))
    for split, ids in splits.items():
        if isinstance(ids, (list, tuple, set, frozenset, np.ndarray)) and len(ids):
            ids = [name for name in ids if isinstance(name, str) and name in by_id]
            result.splits[str(split)] = ids


def _inspect_sample(
    name: str, sample: Sample, common: Summary, multi_class: bool, result: Inspection
) -> None:
    faults = list(sample_faults(sample, name, common, True, multi_class))
    result.faults += faults
    fields = {fault.field for fault in faults}
    if "label" in sample and "label" not in fields:
        labels = labels_of(sample["label"], multi_class)
        result.labels[name] = [int(label) for label in labels]
    if "keypoint" not in fields:
        scored = "keypoint_score" not in fields and common.scored
        result.measures[name] = measure(sample, scored)
        result.faults += content_faults(sample, name, result.measures[name])


def _common(by_id: dict[str, Sample]) -> Summary:
    """Return the most common joints, channels, and scores of the samples.

    Samples are compared with these properties, so that only the exceptions are faults.
    """
    forms: Counter[tuple[int, int, bool]] = Counter()
    first: dict[tuple[int, int, bool], str] = {}
    for name, sample in by_id.items():
        shape: tuple[int, ...] = getattr(sample.get("keypoint"), "shape", ())
        if len(shape) != 4 or 0 in shape:
            continue
        joints, channels = shape[2:]
        total = sample.get("total_frames")
        if isinstance(total, (int, np.integer)) and (
            channels not in (2, 3) or total != shape[1]
        ):
            axes = guess_axes(shape, int(total))
            if axes:
                joints, channels = (shape[axis] for axis in axes.order[2:])
        form = joints, channels, sample.get("keypoint_score") is not None
        forms[form] += 1
        first.setdefault(form, name)
    if not forms:
        return Summary("")
    form = forms.most_common(1)[0][0]
    joints, channels, scored = form
    return Summary("", 0, first[form], joints, channels, scored)
