"""Data set for packed stores, whose annotations may be larger than memory."""

import os.path as osp
from collections.abc import Sequence
from typing import Any

import numpy as np
from mmaction.registry import DATASETS

from ..errors import ConfigError, DataError
from ..stores.store import Store, load_store
from .skeleton_dataset import SkeletonDataset


@DATASETS.register_module()
class PackedSkeletonDataset(SkeletonDataset):
    """SkeletonDataset that reads samples from a packed store on access.

    Initialization opens the store and selects the positions of the samples in the split.
    Nothing else is read, kept in memory, or sent to workers. Samples are checked when
    they are packed, and not again by the data set. Each sample is a separate copy, so
    transforms may modify it.

    Arguments and samples are the same as in SkeletonDataset, except that `ann_file` is
    the folder of the store and `serialize_data` has no effect. `valid_ratio` and
    `data_prefix.skeleton` (keypoints in separate files) are not supported.

    Raises:
        ConfigError: stores do not support an option (kind `option`).
        DataError: the store cannot be read (see `load_store`), the split does not exist
            (kind `split`), or a label is a list and `multi_class` is False (kind
            `label-kind`).
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["serialize_data"] = False
        super().__init__(*args, **kwargs)

    # MMEngine uses only the length and the items of the result.
    def load_data_list(self) -> "_Samples":  # type: ignore[override]
        """Return the samples in the split as a sequence that reads them on access."""
        if self.valid_ratio is not None:
            raise self._unsupported(
                "valid_ratio",
                f"valid_ratio is {self.valid_ratio}, but packed stores do not support "
                "it. Filter the annotations before packing them, or use "
                "type='SkeletonDataset' with the .pkl file.",
            )
        if "skeleton" in self.data_prefix:
            raise self._unsupported(
                "data_prefix.skeleton",
                "data_prefix.skeleton is set, but a packed store contains its "
                "keypoints. Remove data_prefix.skeleton from the config.",
            )
        store = load_store(self.ann_file)
        numbers = store.split(self.split)
        several = store.index["several"][numbers]
        if several.any() and not self.multi_class:
            sample = store.fields(numbers[several.argmax()])
            raise DataError(
                f"'label' is {sample['label']!r}, expected a non-negative integer. Set "
                "multi_class=True for lists of labels.",
                kind="label-kind",
                file=self.ann_file,
                sample=sample[store.id_field],
                field="label",
            )
        self.splits = tuple(store.splits or ())
        self.summary = store.summary(numbers)
        self._apply_meta(store.rest().get("meta"))
        return _Samples(store, numbers)

    def _read_labels(self) -> np.ndarray:
        entries = self.data_list.store.index[self.data_list.numbers]
        return np.where(entries["labelled"], entries["label"], -1).astype(np.int64)

    def _unsupported(self, option: str, message: str) -> ConfigError:
        return ConfigError(message, kind="option", file=self.ann_file, field=option)

    def get_data_info(self, idx: int) -> dict:
        """Return the sample at position `idx`, with the fields that PoseDataset adds."""
        info = super().get_data_info(idx)
        if "video" in self.data_prefix:
            for key in {"filename", "frame_dir"} & set(info):
                # The prefix may be a URL.
                info[key] = osp.join(  # noqa: PTH118
                    self.data_prefix["video"], info[key]
                )
        return info

    def _get_unserialized_subset(self, indices: Sequence[int] | int) -> "_Samples":
        # The method of MMEngine would read every sample of a sequence.
        if isinstance(indices, Sequence):
            return self.data_list[np.asarray(indices, dtype=int)]
        return super()._get_unserialized_subset(indices)


class _Samples:
    """Samples in a store, in place of the list of samples in an MMEngine data set.

    Args:
        store: the store.
        numbers: positions of the samples in the store, int [samples].
    """

    def __init__(self, store: Store, numbers: np.ndarray) -> None:
        self.store, self.numbers = store, numbers

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, index: int | slice | np.ndarray) -> "dict | _Samples":
        numbers = self.numbers[index]
        if numbers.ndim:
            return _Samples(self.store, numbers)
        return self.store[int(numbers)]
