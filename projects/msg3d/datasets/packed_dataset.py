"""A packed store as a data set: PoseDataset for annotations larger than memory."""

import os.path as osp
from collections.abc import Sequence

import numpy as np
from mmaction.registry import DATASETS

from ..errors import DataError
from ..stores.store import Store, load_store
from .skeleton_dataset import SkeletonDataset


@DATASETS.register_module()
class PackedSkeletonDataset(SkeletonDataset):
    """SkeletonDataset out of a packed store: same samples, read when they are asked for.

    Loading opens the store and picks the split's positions; nothing else is read, held or
    handed to workers. The samples were checked when they were packed. Every sample is
    a copy of its own, which transforms may write into.

    Arguments and samples are SkeletonDataset's. `ann_file` is the store's folder.
    `serialize_data` has nothing to serialise and changes nothing; `valid_ratio` and
    `data_prefix.skeleton` (keypoints in files apart) are refused.

    Raises:
        DataError: the store cannot be read, has no such split, or an option is
            not for stores.
    """

    def __init__(self, *args, **kwargs) -> None:
        kwargs["serialize_data"] = False
        super().__init__(*args, **kwargs)

    def load_data_list(self) -> "_Samples":
        """The samples of the split, unread."""
        if self.valid_ratio is not None:
            raise DataError(
                f"{self.ann_file}: valid_ratio is {self.valid_ratio}, which packed "
                "stores do not know: filter the annotations before packing them, or "
                "use type='SkeletonDataset' with the .pkl"
            )
        if "skeleton" in self.data_prefix:
            raise DataError(
                f"{self.ann_file}: data_prefix.skeleton is set, but a packed store "
                "holds its keypoints itself: take it out of the config"
            )
        store = load_store(self.ann_file)
        numbers = store.split(self.split)
        several = store.index["several"][numbers]
        if several.any() and not self.multi_class:
            sample = store.fields(numbers[several.argmax()])
            raise DataError(
                f"{self.ann_file}: sample {sample[store.id_field]!r}: label is "
                f"{sample['label']!r}, expected an integer from 0: set multi_class=True "
                "for lists of labels"
            )
        self.summary = store.summary(numbers)
        meta = store.rest().get("meta")
        classes = meta.get("classes") if isinstance(meta, dict) else None
        if classes is not None:
            self._metainfo.setdefault("classes", classes)
        return _Samples(store, numbers)

    def get_data_info(self, idx: int) -> dict:
        """Sample `idx` with what PoseDataset adds; its arrays may be written into."""
        info = super().get_data_info(idx)
        if "video" in self.data_prefix:
            for key in {"filename", "frame_dir"} & set(info):
                info[key] = osp.join(self.data_prefix["video"], info[key])
        return info

    def _get_unserialized_subset(self, indices: Sequence[int] | int) -> "_Samples":
        # MMEngine's would read every sample of a sequence to put it into a list.
        if isinstance(indices, Sequence):
            return self.data_list[np.asarray(indices, dtype=int)]
        return super()._get_unserialized_subset(indices)


class _Samples:
    """Some samples of a store in the place of MMEngine's list of them."""

    def __init__(self, store: Store, numbers: np.ndarray) -> None:
        self.store, self.numbers = store, numbers

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, which: int | slice | np.ndarray) -> "dict | _Samples":
        numbers = self.numbers[which]
        if numbers.ndim:
            return _Samples(self.store, numbers)
        return self.store[int(numbers)]
