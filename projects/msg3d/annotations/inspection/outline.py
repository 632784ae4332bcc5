"""Ids and forms of all samples, which are necessary to check one of them."""

from collections import Counter

import numpy as np

from ...skeletons.axes import guess_axes
from ..columns import Column
from ..samples import Sample, Summary


class Outline:
    """Ids and forms of the samples that were added.

    Args:
        key: field that contains the ids.

    Attributes:
        ids: id of each sample that has one.
        rows: id -> number of this id. Only the first sample of each id is checked.
        first: position of the first sample of each id.
        shapes: shapes of all `keypoint` arrays with four axes.
        only_keypoints: whether no sample has `keypoint_score` or `img_shape`.
    """

    def __init__(self, key: str) -> None:
        self.key, self._samples = key, 0
        self.ids: list[str] = []
        self.rows: dict[str, int] = {}
        self.first, self.shapes = Column(np.int64), Column(np.int64)
        self.only_keypoints = True
        self._forms: Counter[tuple[int, int, bool]] = Counter()
        self._named: dict[tuple[int, int, bool], str] = {}

    def add(self, sample: Sample) -> Sample:
        """Add a sample, and return it."""
        shape: tuple[int, ...] = getattr(sample.get("keypoint"), "shape", ())
        if len(shape) == 4:
            self.shapes.append(shape)
        if "keypoint_score" in sample or "img_shape" in sample:
            self.only_keypoints = False
        name = sample.get(self.key)
        if isinstance(name, str):
            self.ids.append(name)
            if name not in self.rows:
                self.rows[name] = len(self.rows)
                self.first.append(self._samples)
                self._add_form(name, shape, sample)
        self._samples += 1
        return sample

    def _add_form(self, name: str, shape: tuple[int, ...], sample: Sample) -> None:
        if len(shape) != 4 or 0 in shape:
            return
        joints, channels = shape[2:]
        total = sample.get("total_frames")
        if isinstance(total, (int, np.integer)) and (
            channels not in (2, 3) or total != shape[1]
        ):
            axes = guess_axes(shape, int(total))
            if axes:
                joints, channels = (shape[axis] for axis in axes.order[2:])
        form = joints, channels, sample.get("keypoint_score") is not None
        self._forms[form] += 1
        self._named.setdefault(form, name)

    def common(self) -> Summary:
        """Return the most common joints, channels, and scores of the samples.

        Samples are compared with these properties, so that only the exceptions are faults.
        """
        if not self._forms:
            return Summary("")
        form = self._forms.most_common(1)[0][0]
        joints, channels, scored = form
        return Summary("", 0, self._named[form], joints, channels, scored)
