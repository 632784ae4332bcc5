"""Everything that can be said about the annotations of a file, in one pass."""

from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from ...skeletons import SKELETONS, skeleton
from ...skeletons.axes import guess_axes
from ...skeletons.body_size import is_hand
from ..check import Annotations, file_faults, id_faults, id_field, split_faults
from ..faults import ERROR, KINDS, WARNING, Fault
from ..leaks import FrameHashes
from ..sample_check import Summary, labels_of, sample_faults
from .across import axes_faults, copy_faults, joint_faults, scale_faults
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


@dataclass
class Inspection:
    """What was found in a file.

    Attributes:
        faults: all, by kind in the order of `faults.KINDS`.
        samples: how many annotations there are.
        splits: name -> ids with an annotation, of splits of good form.
        labels: id -> labels, of samples whose label is good.
        classes: their names, None if the file has none.
        measures: id -> numbers, of samples whose keypoint has a good form.
        joints, channels, scored: what samples have in common, None without any.
        layouts: the one that was asked for, or those that fit, best first.
        own_layout: the one that `meta` describes, if no name fits.
        unit, up: of the coordinates, guessed; `up` is None if it cannot be said.
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
    own_layout: dict | None = None
    unit: str = "unknown"
    up: str | None = None

    @property
    def errors(self) -> list[Fault]:
        return [fault for fault in self.faults if fault.severity == ERROR]

    @property
    def warnings(self) -> list[Fault]:
        return [fault for fault in self.faults if fault.severity == WARNING]


def inspect_annotations(
    data: Annotations, layout: str | None = None, multi_class: bool = False
) -> Inspection:
    """Find all faults of annotations, and measure what is good.

    Args:
        data: as `load_annotations` returns it.
        layout: name of the skeleton layout that the joints should have.
        multi_class: whether a label may be a list of labels.

    Raises:
        ValueError: no layout of this name.
    """
    if layout:
        skeleton(layout)  # refuses a name that is not known
    found = Inspection()
    found.faults += file_faults(data)
    samples = data.get("annotations") if isinstance(data, dict) else data
    samples = samples if isinstance(samples, list) else []
    samples = [s for s in samples if isinstance(s, dict)]
    found.samples, found.classes = len(samples), class_names(data)
    if not samples:
        return found

    key = id_field(samples)
    found.faults += id_faults(samples, key)
    # The first of an id that is there twice.
    named = {s[key]: s for s in reversed(samples) if isinstance(s.get(key), str)}
    named = dict(reversed(named.items()))
    _look_at_splits(data, named, found)
    common = _common(named)
    found.faults += axes_faults(samples)
    found.faults += layout_faults(common.joints, layout, common.sample)
    for name, sample in named.items():
        _look_at_sample(name, sample, common, multi_class, found)

    if found.measures:
        found.joints, found.channels = common.joints, common.channels
        found.scored = common.scored
    keypoints = {name: named[name]["keypoint"] for name in found.measures}
    found.faults += class_faults(data, found.labels)
    found.faults += split_content_faults(found.splits, found.labels)
    found.faults += scale_faults(found.measures)
    found.faults += joint_faults(found.measures)
    found.faults += copy_faults(FrameHashes(keypoints), found.splits, found.labels)
    found.layouts = [layout] if layout else fitting_layouts(data, found.joints)
    if not found.layouts:
        found.own_layout = own_layout(data, found.joints)
    shape = SKELETONS[found.layouts[0]] if found.layouts else None
    hand = shape is not None and is_hand(shape.joints)
    found.unit = guess_unit(found.measures, hand)
    found.faults += unit_faults(data, found.measures, found.channels, found.unit)
    if shape and len(shape.joints) == found.joints:
        found.up = up_axis(keypoints, shape)
        if layout and found.channels == 3:
            found.faults += mirror_faults(keypoints, shape)
    order = list(KINDS)
    found.faults.sort(key=lambda fault: order.index(fault.kind))
    return found


def _look_at_splits(data: Annotations, named: dict, found: Inspection) -> None:
    splits = data.get("split") if isinstance(data, dict) else None
    if not isinstance(splits, dict):
        return
    found.faults += split_faults(splits, list(splits), set(named))
    for name, ids in splits.items():
        if isinstance(ids, (list, tuple, set, frozenset, np.ndarray)) and len(ids):
            ids = [one for one in ids if isinstance(one, str) and one in named]
            found.splits[str(name)] = ids


def _look_at_sample(
    name: str, sample: dict, common: Summary, multi_class: bool, found: Inspection
) -> None:
    faults = list(sample_faults(sample, name, common, True, multi_class))
    found.faults += faults
    fields = {fault.field for fault in faults}
    if "label" in sample and "label" not in fields:
        labels = labels_of(sample["label"], multi_class)
        found.labels[name] = [int(one) for one in labels]
    if "keypoint" not in fields:
        scored = "keypoint_score" not in fields and common.scored
        found.measures[name] = measure(sample, scored)
        found.faults += content_faults(sample, name, found.measures[name])


def _common(named: dict[str, dict]) -> Summary:
    """What most samples have, so that the odd ones are named and not all others."""
    forms, first = Counter(), {}
    for name, sample in named.items():
        keypoint, total = sample.get("keypoint"), sample.get("total_frames")
        if getattr(keypoint, "ndim", 0) != 4 or 0 in keypoint.shape:
            continue
        joints, channels = keypoint.shape[2:]
        is_total = isinstance(total, (int, np.integer))
        if is_total and (channels not in (2, 3) or total != keypoint.shape[1]):
            axes = guess_axes(keypoint.shape, total)
            if axes:
                joints, channels = (keypoint.shape[axis] for axis in axes.order[2:])
        form = joints, channels, sample.get("keypoint_score") is not None
        forms[form] += 1
        first.setdefault(form, name)
    if not forms:
        return Summary("")
    form = forms.most_common(1)[0][0]
    joints, channels, scored = form
    return Summary("", 0, first[form], joints, channels, scored)
