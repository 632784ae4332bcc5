"""Compatibility check for data and model before the first iteration.

Without the check, a label beyond the classes of the head causes an index error in the
loss (on a GPU, an assertion without details). A wrong number of joints, targets, or
channels causes an error deep in the model.
"""

from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

from mmaction.datasets.transforms import PreNormalize2D
from mmaction.registry import HOOKS
from mmengine.dataset import BaseDataset
from mmengine.hooks import Hook
from mmengine.model import BaseModel
from mmengine.runner import BaseLoop, Runner
from torch import nn

from ...annotations.check import Summary
from ...checkpoints.reading import first_mismatch
from ...checkpoints.shipped import find_weights
from ...errors import ConfigError, DataError
from .input_check import check_head, check_inputs
from .transfer import tensors_of, transfer_weights, unwrapped


@HOOKS.register_module()
class CheckDataHook(Hook):
    """Check that data, backbone, and head are compatible before a run starts.

    Checks the loops that the run has built: training and validation in `train`, a
    single loop in `val` and `test`. Files are not read twice: each data set has a
    `summary` of its file, and one sample per data set passes through the pipeline. Data
    sets without a summary are skipped, as are models without `cls_head.num_classes` (or
    `num_targets`) or `backbone.graph`. `input_check` checks layouts, joints, channels,
    persons, and the channels of the head.

    Before training, class names in training and validation must be the same.

    In training, weights of `load_from` are adapted to the network (`transfer`).
    In `val` and `test`, all entries of the checkpoint must match the model. MMEngine
    only logs mismatches, and would test random weights. Training may load only a part.

    Warns about silent behavior of the pipeline: ignored persons and a default image
    size.

    Raises:
        MSG3DError: data and model do not match. The error contains the file, sample,
            and field of the first mismatch, the property of the model, and the config
            entry to change. Also raised if the checkpoint to load does not exist (kind
            `not-found`) or does not match the model (kind `weights`).
    """

    priority = "VERY_HIGH"
    _only_tests = False

    def before_run(self, runner: Runner) -> None:
        self._only_tests = not isinstance(runner._train_loop, BaseLoop)
        if getattr(runner, "_load_from", None):
            runner._load_from = find_weights(runner._load_from)
        model = unwrapped(runner.model)
        # Check the head once, except with wrappers that shard the weights.
        check_pending = model is runner.model or isinstance(
            runner.model, (nn.DataParallel, nn.parallel.DistributedDataParallel)
        )
        # The public properties would build unused loops and read their files.
        for loop in (runner._train_loop, runner._val_loop, runner._test_loop):
            if isinstance(loop, BaseLoop):
                for dataset in _leaves(loop.dataloader.dataset):
                    _compare_labels(dataset.summary, model)
                    clips = check_inputs(dataset, model)
                    if clips is not None and check_pending:
                        check_head(model, clips)
                        check_pending = False
                    for warning in _warnings(dataset):
                        runner.logger.warning(warning)
        if not self._only_tests and isinstance(runner._val_loop, BaseLoop):
            _compare_classes(
                runner._train_loop.dataloader.dataset,
                runner._val_loop.dataloader.dataset,
            )

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        if not self._only_tests:
            if not runner._resume:
                transfer_weights(runner, checkpoint)
            return
        expected = unwrapped(runner.model).state_dict()
        mismatch = first_mismatch(expected, tensors_of(checkpoint))
        if mismatch:
            raise ConfigError(
                f"the checkpoint does not match the network of the config: {mismatch}. "
                "Use the config that it was trained with.",
                kind="weights",
                file=runner._load_from,
            )


def _warnings(dataset: BaseDataset) -> Iterator[str]:
    """Yield a warning for each silent behavior of the pipeline of a data set."""
    summary = dataset.summary
    steps = {type(step).__name__: step for step in dataset.pipeline.transforms}
    used = getattr(steps.get("FormatGCNInput"), "num_person", None)
    if used and summary.persons > used and "SelectPersons" not in steps:
        yield (
            f"{summary.source}, sample {summary.persons_sample!r}: 'keypoint' has "
            f"{summary.persons} persons, but only the first {used} are used. To select "
            f"the persons, add dict(type='SelectPersons', num_person={used}) as the "
            "first step of the pipeline."
        )
    sized = [
        step for step in dataset.pipeline.transforms if isinstance(step, PreNormalize2D)
    ]
    if sized and "img_shape" not in dataset.get_data_info(0):
        yield (
            f"{summary.source}, sample {summary.sample!r}: 'img_shape' is missing, so "
            f"the default {tuple(sized[0].img_shape)} (height, width) is used. Set "
            f"img_shape in the samples or in {type(sized[0]).__name__}."
        )


def _compare_classes(training: Any, validation: Any) -> None:
    """Check that labels have the same meaning in training and validation."""
    expected, classes = (
        getattr(dataset, "metainfo", {}).get("classes") or ()
        for dataset in (training, validation)
    )
    if not expected or not classes:
        return
    for label, (name, other) in enumerate(zip_longest(expected, classes)):
        if name != other:
            raise DataError(
                f"class {label} of the validation data is {other!r}, but {name!r} in the "
                "training data. Use files with the same classes, or "
                "CombinedSkeletonDataset with the same `classes` in all data sets.",
                kind="label",
                file=getattr(next(_leaves(validation), None), "ann_file", None),
                field="classes",
            )


def _leaves(dataset: Any) -> Iterator[BaseDataset]:
    """Yield the data sets with a summary inside RepeatDataset and other wrappers."""
    if getattr(dataset, "summary", None) is not None:
        yield dataset
        return
    inner = [getattr(dataset, "dataset", None), *getattr(dataset, "datasets", [])]
    for part in inner:
        if part is not None:
            yield from _leaves(part)


def _compare_labels(summary: Summary, model: BaseModel) -> None:
    head: Any = getattr(model, "cls_head", None)
    if hasattr(head, "num_targets"):
        _compare_targets(summary, head)
        return
    classes = getattr(head, "num_classes", None)
    if classes is not None and summary.without_label:
        raise DataError(
            f"'label' is missing, but the model has {classes} classes. Add labels, or, "
            "to predict the targets, set model.cls_head to dict(type='TraitHead', "
            f"num_targets={summary.targets}).",
            kind="label",
            file=summary.source,
            sample=summary.without_label,
            field="label",
        )
    if classes is not None and summary.max_label >= classes:
        raise DataError(
            f"'label' is {summary.max_label}, but the model has {classes} classes "
            f"(labels 0 to {classes - 1}). Set model.cls_head.num_classes to at least "
            f"{summary.max_label + 1}, or correct the label.",
            kind="label",
            file=summary.source,
            sample=summary.max_label_sample,
            field="label",
        )


def _compare_targets(summary: Summary, head: Any) -> None:
    if summary.targets is None or summary.without_targets:
        raise DataError(
            f"'targets' is missing, but the head predicts {head.num_targets} targets. "
            "Add a vector 'targets' to each sample, or use a classification head.",
            kind="target",
            file=summary.source,
            sample=summary.without_targets,
            field="targets",
        )
    if summary.targets != head.num_targets:
        raise DataError(
            f"'targets' has {summary.targets} values, but the head predicts "
            f"{head.num_targets}. Set model.cls_head.num_targets to {summary.targets}.",
            kind="target",
            file=summary.source,
            sample=summary.targets_sample,
            field="targets",
        )
