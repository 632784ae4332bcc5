"""PoseDataset that loads annotation files safely and checks them."""

import os.path as osp
from collections.abc import Sequence
from typing import Any

import numpy as np
from mmaction.datasets import PoseDataset
from mmaction.registry import DATASETS

from ..annotations.check import Summary, check_annotations, id_field
from ..annotations.files import load_annotations
from ..annotations.markers import marker_values, without_markers
from ..errors import ConfigError, DataError
from ..preprocessing.frame_rate import at_rate, check_rate
from ..skeletons import STREAMS


@DATASETS.register_module()
class SkeletonDataset(PoseDataset):
    """PoseDataset that never executes code in the annotation file, and rejects faults.

    In contrast, PoseDataset unpickles `ann_file` without restrictions. It does not check
    the file, so a fault makes training fail later, or is never noticed. Arguments and
    samples are the same as in PoseDataset. Only the samples in `split` are checked.

    The names of classes and targets in the file (`meta['classes']` and
    `meta['targets']`) are added to `metainfo`. Training saves them in checkpoints.

    Args:
        stream: the stream that `SkeletonFeatures` computes: 'j' (joints), 'b' (bones),
            'jm' (joint motion), or 'bm' (bone motion). By default, the pipeline specifies
            the stream.
        missing_marker: which joints are absent besides those at zero; see
            `annotations.markers.without_markers`. By default, joints at (-1, -1),
            (-1, -1, -1), and 65535.
        fps: frame rate of the samples. Samples with another rate in their `fps` or
            `times` are converted; see `preprocessing.frame_rate`. By default, all samples
            are used as they are.
        *args, **kwargs: see PoseDataset.

    Attributes:
        summary: properties of the file such as joints, channels, and largest label, for
            CheckDataHook; None until the data set is initialized.
        splits: names of all splits in the file.

    Raises:
        ConfigError: `stream`, `missing_marker`, or `fps` is invalid (kind `option`).
        DataError: the file cannot be read (see `load_annotations`), a sample has a fault
            (a kind of `annotations.faults.KINDS`), or `split` is missing or unknown (kind
            `split`).
    """

    summary: Summary | None = None
    splits: tuple[str, ...] = ()
    _labels: np.ndarray | None = None
    _new_labels: np.ndarray | None = None  # new label of each label; see `relabel`

    def __init__(
        self,
        *args: Any,
        stream: str | None = None,
        missing_marker: str = "auto",
        fps: float | None = None,
        **kwargs: Any,
    ) -> None:
        marker_values(missing_marker)
        self.fps = check_rate(fps)
        if stream not in (None, *STREAMS):
            raise ConfigError(
                f"{type(self).__name__} got stream={stream!r}, expected one of "
                f"{', '.join(map(repr, STREAMS))}",
                kind="option",
                field="stream",
            )
        self.stream, self.missing_marker = stream, missing_marker
        super().__init__(*args, **kwargs)

    def get_data_info(self, idx: int) -> dict:
        """Return a sample as in PoseDataset, with the options of this class applied."""
        info = super().get_data_info(idx)
        if "keypoint" in info:
            info, _ = without_markers(info, self.missing_marker)
            if self.fps is not None:
                info = at_rate(info, self.fps)
        if self._new_labels is not None and "label" in info:
            info["label"] = int(self._new_labels[info["label"]])
        return info if self.stream is None else dict(info, stream=self.stream)

    @property
    def labels(self) -> np.ndarray:
        """Labels of the samples, int64 [samples]; -1 for samples without a label.

        Not available with `multi_class=True`.
        """
        self.full_init()
        if self._labels is None:
            self._labels = self._read_labels()
        if self._new_labels is None:
            return self._labels
        return self._new_labels[self._labels]

    def _read_labels(self) -> np.ndarray:
        read = super().get_data_info
        # MMEngine deletes the list after serialization.
        samples = getattr(self, "data_list", None) or map(read, range(len(self)))
        return np.array([sample.get("label", -1) for sample in samples], np.int64)

    def _serialize_data(self) -> tuple[np.ndarray, np.ndarray]:
        # Reading the labels from serialized samples would be slow.
        if not self.multi_class:
            self._labels = self._read_labels()
        return super()._serialize_data()

    def get_subset_(self, indices: Sequence[int] | int) -> None:
        """Keep some of the samples, as in BaseDataset."""
        super().get_subset_(indices)
        self._labels = None

    def get_subset(self, indices: Sequence[int] | int) -> "SkeletonDataset":
        """Return a data set with some of the samples, as in BaseDataset."""
        subset = super().get_subset(indices)
        subset._labels = None
        return subset

    def relabel(self, labels: Sequence[int]) -> None:
        """Replace the labels, and leave out samples.

        Args:
            labels: new label of each label; -1 to leave its samples out.

        Raises:
            DataError: no sample is left (kind `label`).
        """
        table = np.append(np.asarray(labels, dtype=np.int64), -1)
        old = self.labels
        new = table[old]  # a missing label, -1, selects the last entry
        kept = np.flatnonzero((new >= 0) | (old < 0))
        if not len(kept):
            raise DataError(
                "label_map leaves out all samples, expected at least one",
                kind="label",
                file=self.ann_file,
                field="label_map",
            )
        if len(kept) < len(new):
            self.get_subset_(kept.tolist())
        self._labels, self._new_labels = old[kept], table
        if self.summary is not None:
            self.summary.samples = len(kept)
            self.summary.max_label = int(new[kept].max())

    def load_data_list(self) -> list[dict]:
        """Return the checked samples in the split, as in PoseDataset."""
        data = load_annotations(self.ann_file)
        if isinstance(data, dict) and self.split is None and "split" in data:
            raise DataError(
                "the file has splits, but split is None. Set `split` in the config to one "
                f"of {', '.join(map(repr, data['split']))}.",
                kind="split",
                file=self.ann_file,
                field="split",
            )
        self.summary = check_annotations(
            data,
            self.split,
            source=self.ann_file,
            keypoints="skeleton" not in self.data_prefix,
            multi_class=self.multi_class,
        )
        if isinstance(data, dict):
            self.splits = tuple(data["split"])
            samples, selected = data["annotations"], set(data["split"][self.split])
            key = id_field(samples)
            self._apply_meta(data.get("meta"))
            data = [sample for sample in samples if sample[key] in selected]
        if "video" in self.data_prefix:
            for sample in data:
                for key in {"filename", "frame_dir"} & set(sample):
                    # The prefix may be a URL.
                    sample[key] = osp.join(  # noqa: PTH118
                        self.data_prefix["video"], sample[key]
                    )
        return data

    def _apply_meta(self, meta: object) -> None:
        """Add class and target names to `metainfo`, and the layout to `summary`.

        Args:
            meta: the `meta` of the annotation file, not validated.
        """
        if self.summary is None or not isinstance(meta, dict):
            return
        self.summary.layout = meta.get("layout")
        for key in ("classes", "targets"):
            if meta.get(key) is not None:
                self._metainfo.setdefault(key, meta[key])
