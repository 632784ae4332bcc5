"""Several annotation files as one data set."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain
from typing import Any

import numpy as np
from mmaction.registry import DATASETS
from mmengine.dataset import Compose, ConcatDataset
from mmengine.dist import is_main_process

from ..annotations.check import id_field
from ..annotations.inspection.labels import pairs_of
from ..annotations.leaks import FrameHashes
from ..errors import ConfigError, DataError
from ..skeletons import skeleton
from ..skeletons.convert import gather_joints, joint_sources
from ..skeletons.lookup import Layout
from .skeleton_dataset import SkeletonDataset

# Options of a file in `files`, besides those of its data set
OPTIONS = ("label_map", "layout", "missing")
# Positions of a data set and of a sample in it
_Key = tuple[int, int]


@DATASETS.register_module()
class CombinedSkeletonDataset(ConcatDataset):
    """Samples of several annotation files and packed stores, with one list of classes.

    The samples are those of the first file, then those of the second, and so on. The
    result is the same as with a single file that contains all of these samples.
    `WeightedSampler` balances classes or files.

    Args:
        files: one dictionary per file, with `ann_file`, `split`, and options of
            `SkeletonDataset` or, if the name ends in `.packed`, of
            `PackedSkeletonDataset`. Other optional entries:

            - `label_map`: new names of classes, as a dictionary from names in the file,
              or as a list with a name for each label, if the file contains no class
              names. Samples of a class with the new name None are left out.
            - `layout`: skeleton layout, if the file does not specify it. By default, that
              of the network.
            - `missing`: 'zero' if joints that the file does not have are absent. By
              default, they are an error.
        pipeline: transforms of all samples. `ConvertLayout` precedes them for files with
            another layout.
        layout: skeleton layout of the network. By default, the layout of the first file
            that specifies it.
        classes: names of the classes, in the order of the labels. By default, all names
            in the files, in the order of their first occurrence. If no file has names,
            labels are used as they are. With an explicit list, the labels of a file
            without names are positions in it.
        check_leaks: whether to compare the samples with the validation and test splits
            of the other files, frame by frame. For `split='xsub_train'`, these are
            `xsub_val` and `xsub_test`. All training samples are read for it. Not used
            with `test_mode=True`.
        **kwargs: options of all data sets, such as `stream`, `fps`, and `test_mode`.

    Attributes:
        datasets: list of the files' data sets.

    Raises:
        ConfigError: an option is missing or invalid (kind `option`), or a layout is
            unknown or has no counterpart of a joint (kind `layout`).
        DataError: a file is invalid (see `SkeletonDataset`), a class name is unknown or
            missing (kind `label`), files have different dimensions (kind `shape`), or a
            sample is in a validation or test split of another file (kind
            `leak-identical` or `leak-mostly`).
    """

    def __init__(
        self,
        files: Sequence[Mapping[str, Any]],
        pipeline: Sequence[Any],
        layout: Layout | None = None,
        classes: Sequence[str] | None = None,
        check_leaks: bool = True,
        lazy_init: bool = False,
        **kwargs: Any,
    ) -> None:
        _check_options(files, classes, kwargs)
        self._files = [dict(file) for file in files]
        self._classes = None if classes is None else list(classes)
        self._layout = layout
        self._check_leaks = check_leaks and not kwargs.get("test_mode", False)
        self._kwargs = kwargs
        datasets = [
            self._dataset(file, file.get("split"), pipeline) for file in self._files
        ]
        # `metainfo` is known after the files were read, so do not compare it here.
        super().__init__(datasets, lazy_init=True, ignore_keys=["classes", "targets"])
        self._metainfo = self.metainfo  # a copy
        if not lazy_init:
            self.full_init()

    def _dataset(
        self, file: Mapping[str, Any], split: str | None, pipeline: Sequence[Any]
    ) -> SkeletonDataset:
        packed = str(file["ann_file"]).rstrip("/").endswith(".packed")
        options = {key: value for key, value in file.items() if key not in OPTIONS}
        options = {**self._kwargs, **options, "split": split, "lazy_init": True}
        kind = "PackedSkeletonDataset" if packed else "SkeletonDataset"
        return DATASETS.build({"type": kind, "pipeline": list(pipeline), **options})

    def full_init(self) -> None:
        """Read the files, and map their labels to the common classes."""
        if self._fully_initialized:
            return
        for dataset in self.datasets:
            dataset.full_init()
        self._convert()
        self._set_labels()
        if self._check_leaks and len(self.datasets) > 1 and is_main_process():
            self._compare_splits()
        super().full_init()

    @property
    def labels(self) -> np.ndarray:
        """Labels of all samples, int64 [samples]; -1 for samples without a label."""
        return np.concatenate([dataset.labels for dataset in self.datasets])

    def _convert(self) -> None:
        """Put `ConvertLayout` first into the pipelines of files with another layout."""
        pairs = list(zip(self._files, self.datasets, strict=True))
        self._sources = [
            file.get("layout") or _stored_layout(dataset) for file, dataset in pairs
        ]
        known = [source for source in self._sources if source is not None]
        if self._layout is None and known:
            self._layout = known[0]
        channels = [getattr(dataset.summary, "channels", None) for _, dataset in pairs]
        for (file, dataset), source in zip(pairs, self._sources, strict=True):
            summary = dataset.summary
            if summary is None or summary.channels is None:  # keypoints in other files
                continue
            if summary.channels != channels[0]:
                raise DataError(
                    f"'keypoint' has {summary.channels} coordinates, but in the first "
                    f"file it has {channels[0]}. Combine files with the same dimensions.",
                    kind="shape",
                    file=dataset.ann_file,
                    field="keypoint",
                )
            own = self._layout if source is None else source
            if own is not None and len(skeleton(own).joints) != summary.joints:
                raise ConfigError(
                    f"'keypoint' has {summary.joints} joints, but the layout has "
                    f"{len(skeleton(own).joints)}. Set the layout of this file in its "
                    "entry in `files`.",
                    kind="layout",
                    file=dataset.ann_file,
                    field="layout",
                )
            if _differ(source, self._layout):
                step = {
                    "type": "ConvertLayout",
                    "source": source,
                    "target": self._layout,
                    "missing": file.get("missing", "error"),
                }
                dataset.pipeline.transforms[:0] = Compose([step]).transforms

    def _set_labels(self) -> None:
        names = [
            _new_names(file, dataset)
            for file, dataset in zip(self._files, self.datasets, strict=True)
        ]
        classes = self._classes
        if classes is None and any(new is not None for new in names):
            every = [name for new in names for name in new or () if name is not None]
            classes = list(dict.fromkeys(every))
        if classes is None:
            return
        number = {name: label for label, name in enumerate(classes)}
        for new, dataset in zip(names, self.datasets, strict=True):
            if new is None and self._classes is not None:
                new = [*self._classes]  # labels are positions in `classes`
            if new is None:
                raise _label_error(
                    "the file contains no class names, which combining it with other "
                    "files requires. Add label_map=[...] with a name for each label to "
                    "its entry in `files`.",
                    dataset,
                )
            used = np.unique(dataset.labels)
            if used[-1] >= len(new):
                raise _label_error(
                    f"the file has label {used[-1]}, but only {len(new)} class names. Add "
                    "label_map=[...] with a name for each label to its entry in `files`.",
                    dataset,
                )
            unknown = [
                repr(new[label])
                for label in used[used >= 0]
                if new[label] is not None and new[label] not in number
            ]
            if unknown:
                raise _label_error(
                    f"classes {', '.join(unknown)} are not in `classes`. Add them, or map "
                    "them to other classes or to None with label_map={...}.",
                    dataset,
                )
            dataset.relabel([number.get(name or "", -1) for name in new])
            dataset._metainfo["classes"] = classes
        self._metainfo["classes"] = classes

    def _compare_splits(self) -> None:
        """Reject samples that are in a validation or test split of another file."""
        for number, file in enumerate(self._files):
            for train, tested in pairs_of(self.datasets[number].splits):
                if train == file.get("split"):
                    options = dict(file, serialize_data=False, indices=None)
                    held_out = self._dataset(options, tested, [])
                    held_out.full_init()
                    self._compare(number, held_out)

    def _compare(self, number: int, held_out: SkeletonDataset) -> None:
        parts = [*self.datasets, held_out]
        keypoints = _Keypoints(
            parts, [*self._sources, self._sources[number]], self._layout
        )
        tested = keypoints.keys_of(len(self.datasets))
        others = (part for part in range(len(self.datasets)) if part != number)
        trained = [key for part in others for key in keypoints.keys_of(part)]
        for leak in FrameHashes(keypoints).leaks(trained, tested):
            if not (leak.identical or leak.mostly):
                continue
            file, sample = keypoints.place(leak.trained)
            tested_file, tested_sample = keypoints.place(leak.tested)
            raise DataError(
                f"{leak.shared} of {leak.frames} frames of sample {tested_sample!r} in "
                f"split {held_out.split!r} of {tested_file} are in training samples of "
                "other files, most of them in this one. Train on splits that exclude the "
                "same persons or views in all files, or leave one of the files out.",
                kind="leak-identical" if leak.identical else "leak-mostly",
                file=file,
                sample=sample,
                field="keypoint",
            )


class _Keypoints(Mapping[_Key, np.ndarray]):
    """Keypoints of all samples in the layout of the network, read on access.

    The keys are positions of a data set in `parts`, and of a sample in it.

    Args:
        parts: data sets.
        sources: layout of each data set.
        target: layout of the network.
    """

    def __init__(
        self,
        parts: Sequence[SkeletonDataset],
        sources: Sequence[Layout | None],
        target: Layout | None,
    ) -> None:
        self.parts = parts
        self._converters = [_converter(source, target) for source in sources]

    def __getitem__(self, key: _Key) -> np.ndarray:
        part, number = key
        keypoint = self.parts[part].get_data_info(number)["keypoint"]
        return self._converters[part](keypoint.astype(np.float32))

    def __iter__(self) -> Iterator[_Key]:
        return chain.from_iterable(map(self.keys_of, range(len(self.parts))))

    def __len__(self) -> int:
        return sum(map(len, self.parts))

    def keys_of(self, part: int) -> list[_Key]:
        """Return the keys of a data set's samples."""
        return [(part, number) for number in range(len(self.parts[part]))]

    def place(self, key: _Key) -> tuple[str, str]:
        """Return the file and the id of a sample."""
        part, number = key
        sample = self.parts[part].get_data_info(number)
        return self.parts[part].ann_file, sample[id_field([sample])]


def _stored_layout(dataset: SkeletonDataset) -> Layout | None:
    """Return the layout in a file, which must not refer to another file."""
    layout: Any = getattr(dataset.summary, "layout", None)
    if isinstance(layout, dict):
        return layout
    known = isinstance(layout, str) and not layout.endswith(".json")
    return layout if known else None


def _differ(source: Layout | None, target: Layout | None) -> bool:
    if source is None or target is None:
        return False
    return skeleton(source).joints != skeleton(target).joints


def _converter(
    source: Layout | None, target: Layout | None
) -> Callable[[np.ndarray], np.ndarray]:
    """Return a function that converts keypoints [M, T, V, C] to a layout."""
    if source is None or target is None or not _differ(source, target):
        return lambda keypoint: keypoint
    joints = joint_sources(source, target, "zero")
    return partial(gather_joints, sources=joints, source=source)


def _new_names(
    file: Mapping[str, Any], dataset: SkeletonDataset
) -> list[str | None] | None:
    """Return the new class name of each label of a file; None if it has no names."""
    mapped, names = file.get("label_map"), dataset.metainfo.get("classes")
    if not mapped:
        return names and list(names)
    values = mapped.values() if isinstance(mapped, Mapping) else mapped
    if isinstance(mapped, str) or not all(
        value is None or (isinstance(value, str) and value) for value in values
    ):
        raise _label_error(
            f"label_map is {mapped!r:.80}, expected class names or None",
            dataset,
        )
    if not isinstance(mapped, Mapping):
        return list(mapped)
    if names is None:
        raise _label_error(
            "label_map is a dictionary, but the file contains no class names. Use a list "
            "with a name for each label.",
            dataset,
        )
    unknown = [repr(name) for name in mapped if name not in names]
    if unknown:
        raise _label_error(
            f"the file has no class {', '.join(unknown)}, expected names among "
            f"{', '.join(names)}. Correct label_map.",
            dataset,
        )
    return [mapped.get(name, name) for name in names]


def _label_error(message: str, dataset: SkeletonDataset) -> DataError:
    return DataError(message, kind="label", file=dataset.ann_file, field="label_map")


def _check_options(
    files: Sequence[Mapping[str, Any]],
    classes: Sequence[str] | None,
    others: Mapping[str, Any],
) -> None:
    def error(message: str, field: str) -> ConfigError:
        return ConfigError(message, kind="option", field=field)

    if "ann_file" in others or "split" in others:
        raise error(
            "CombinedSkeletonDataset takes ann_file and split in the entries of `files`. "
            "If the config inherits them, add _delete_=True to the data set.",
            "files",
        )
    if not files or any("ann_file" not in file for file in files):
        raise error(
            "`files` must contain a dictionary with ann_file and split for each file",
            "files",
        )
    if any(options.get("multi_class") for options in (others, *files)):
        raise error(
            "CombinedSkeletonDataset does not support multi_class=True", "multi_class"
        )
    keys = [(str(file["ann_file"]), file.get("split")) for file in files]
    if len(set(keys)) < len(keys):
        raise error("`files` contains a split of a file twice", "files")
    if classes is not None and (
        isinstance(classes, str)
        or not classes
        or len(set(classes)) < len(classes)
        or not all(isinstance(name, str) and name for name in classes)
    ):
        raise error("`classes` must be a list of different names", "classes")
