"""MMAction2's PoseDataset, for annotation files that were checked first."""

import os.path as osp

from mmaction.datasets import PoseDataset
from mmaction.registry import DATASETS

from ..annotations.check import (
    Summary,
    check_annotations,
    id_field,
)
from ..annotations.files import load_annotations
from ..errors import DataError
from ..skeletons import STREAMS


@DATASETS.register_module()
class SkeletonDataset(PoseDataset):
    """PoseDataset that executes nothing of its file and refuses a faulty one.

    PoseDataset unpickles `ann_file` without limits, and a wrong file shows in the
    middle of training or never. Arguments and samples are PoseDataset's. Only the
    samples of `split` are checked, each once.

    Args:
        stream: which stream of the network `SkeletonFeatures` gives it: 'j' joints,
            'b' bones, 'jm' and 'bm' their motions; None leaves that to the pipeline.
        *args, **kwargs: PoseDataset's.

    Class names that the file's `meta['classes']` holds become `metainfo['classes']`,
    which tables and pictures show.

    Attributes:
        summary: joints, channels and largest label of the file, for CheckDataHook;
            None until the data set is initialised.

    Raises:
        DataError: the file cannot be read or has a fault; it names file,
            sample and field.
    """

    summary: Summary | None = None

    def __init__(self, *args, stream: str | None = None, **kwargs) -> None:
        if stream not in (None, *STREAMS):
            raise ValueError(
                f"{type(self).__name__} got stream={stream!r}: expected one of "
                f"{list(STREAMS)}"
            )
        self.stream = stream
        super().__init__(*args, **kwargs)

    def get_data_info(self, idx: int) -> dict:
        """Sample `idx` as PoseDataset gives it, and the `stream` it is for, if any."""
        info = super().get_data_info(idx)
        return info if self.stream is None else dict(info, stream=self.stream)

    def load_data_list(self) -> list[dict]:
        """The samples of the split, as PoseDataset.load_data_list gives them."""
        data = load_annotations(self.ann_file)
        if isinstance(data, dict) and self.split is None and "split" in data:
            raise DataError(
                f"{self.ann_file}: holds splits, and none is chosen: set `split` to "
                f"one of {list(data['split'])}"
            )
        self.summary = check_annotations(
            data,
            self.split,
            source=self.ann_file,
            keypoints="skeleton" not in self.data_prefix,
            multi_class=self.multi_class,
        )
        if isinstance(data, dict):
            samples, wanted = data["annotations"], set(data["split"][self.split])
            key = id_field(samples)
            meta = data.get("meta")
            classes = meta.get("classes") if isinstance(meta, dict) else None
            if classes is not None:
                self._metainfo.setdefault("classes", classes)
            data = [sample for sample in samples if sample[key] in wanted]
        if "video" in self.data_prefix:
            for sample in data:
                for key in {"filename", "frame_dir"} & set(sample):
                    sample[key] = osp.join(self.data_prefix["video"], sample[key])
        return data
