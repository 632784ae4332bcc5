"""Compare data and model before the first iteration.

Otherwise a label above the head's classes is an index error in the loss (on a GPU, an
assertion without details), and a wrong number of joints, targets, or channels an error
deep in the model.
"""

import os
from collections.abc import Iterator
from typing import Any

import torch
from mmaction.datasets.transforms import PreNormalize2D
from mmaction.registry import HOOKS
from mmengine.dataset import BaseDataset
from mmengine.hooks import Hook
from mmengine.model import BaseModel, is_model_wrapper
from mmengine.runner import BaseLoop, Runner
from torch import nn

from ...annotations.check import Summary
from ...checkpoints.reading import misfit
from ...errors import CheckpointError, ConfigError, DataError
from .input_check import check_head, check_inputs


@HOOKS.register_module()
class CheckDataHook(Hook):
    """Refuse to start if the data, the backbone, and the head do not fit each other.

    Checks the loops that the run has built: training and validation in `train`, one of
    them in `val` and `test`. Nothing is read twice: the data sets have a `summary` of
    their file, and one sample per data set goes through its pipeline. Data sets without
    a summary, and models without `cls_head.num_classes` (or `num_targets`) or
    `backbone.graph`, are skipped. See `input_check` for layouts, joints, channels,
    persons, and the channels of the head.

    If nothing is trained, every entry of the checkpoint must fit the model. MMEngine
    only logs the others, and tests random weights. A training may load a part.

    Warns about what training does silently: persons beyond those that the pipeline
    takes, and a default picture size.

    Raises:
        MSG3DError: the first difference, with file, sample, field, the property of the
            model, and the line of the config to change; or the checkpoint to load does
            not exist (`not-found`) or does not fit (`weights`).
    """

    priority = "VERY_HIGH"
    _only_tests = False

    def before_run(self, runner: Runner) -> None:
        self._only_tests = not isinstance(runner._train_loop, BaseLoop)
        _check_checkpoint(getattr(runner, "_load_from", None))
        model = _unwrapped(runner.model)
        # Once, and not in wrappers that distribute the weights.
        head_is_open = model is runner.model or isinstance(
            runner.model, (nn.DataParallel, nn.parallel.DistributedDataParallel)
        )
        # The public properties would build unused loops, and read their files.
        for loop in (runner._train_loop, runner._val_loop, runner._test_loop):
            if isinstance(loop, BaseLoop):
                for dataset in _leaves(loop.dataloader.dataset):
                    _compare_labels(dataset.summary, model)
                    clips = check_inputs(dataset, model)
                    if clips is not None and head_is_open:
                        check_head(model, clips)
                        head_is_open = False
                    for warning in _warnings(dataset):
                        runner.logger.warning(warning)

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        if not self._only_tests:
            return
        # As MMEngine reads it.
        state = {
            key.removeprefix("module."): value
            for key, value in checkpoint.get("state_dict", checkpoint).items()
            if isinstance(value, torch.Tensor)
        }
        if wrong := misfit(_unwrapped(runner.model).state_dict(), state):
            raise ConfigError(
                f"the checkpoint does not fit the network of the config: {wrong}. Use "
                "the config that it was trained with",
                kind="weights",
                file=runner._load_from,
            )


def _unwrapped(model: nn.Module) -> BaseModel:
    return model.module if is_model_wrapper(model) else model


def _check_checkpoint(path: str | None) -> None:
    # Path.exists raises an error for a folder that cannot be read.
    if path and "://" not in path and not os.path.exists(path):  # noqa: PTH110
        raise CheckpointError(
            "the checkpoint to load does not exist: correct load_from, --resume, or "
            "--checkpoint",
            kind="not-found",
            file=path,
            field="load_from",
        )


def _warnings(dataset: BaseDataset) -> Iterator[str]:
    """Describe what this data set's pipeline would do silently."""
    summary = dataset.summary
    steps = {type(step).__name__: step for step in dataset.pipeline.transforms}
    taken = getattr(steps.get("FormatGCNInput"), "num_person", None)
    if taken and summary.persons > taken and "SelectPersons" not in steps:
        yield (
            f"{summary.source}: sample {summary.persons_sample!r}: keypoint has "
            f"{summary.persons} persons, of which the first {taken} of the file are "
            f"taken: put dict(type='SelectPersons', num_person={taken}) first in the "
            "pipeline to select them"
        )
    sized = [
        step for step in dataset.pipeline.transforms if isinstance(step, PreNormalize2D)
    ]
    if sized and "img_shape" not in dataset.get_data_info(0):
        yield (
            f"{summary.source}: sample {summary.sample!r}: has no img_shape, so the "
            f"default {tuple(sized[0].img_shape)} (height, width) is used: add "
            f"img_shape to the samples, or to {type(sized[0]).__name__}"
        )


def _leaves(dataset: Any) -> Iterator[BaseDataset]:
    """The data sets with a summary inside RepeatDataset, ConcatDataset, and others."""
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
            f"has targets and no label, but the model has {classes} classes: set "
            "model.cls_head to dict(type='TraitHead', "
            f"num_targets={summary.targets}), or add labels",
            kind="label",
            file=summary.source,
            sample=summary.without_label,
            field="label",
        )
    if classes is not None and summary.max_label >= classes:
        raise DataError(
            f"label is {summary.max_label}, but the model has {classes} classes (labels "
            f"0 to {classes - 1}): set model.cls_head.num_classes to at least "
            f"{summary.max_label + 1}, or correct the label",
            kind="label",
            file=summary.source,
            sample=summary.max_label_sample,
            field="label",
        )


def _compare_targets(summary: Summary, head: Any) -> None:
    if summary.targets is None or summary.without_targets:
        raise DataError(
            f"has no targets, but the model's head regresses {head.num_targets}: add a "
            "vector `targets` to each sample, or use a head for classes",
            kind="target",
            file=summary.source,
            sample=summary.without_targets,
            field="targets",
        )
    if summary.targets != head.num_targets:
        raise DataError(
            f"targets has {summary.targets} numbers, but the model's head has "
            f"{head.num_targets}: set model.cls_head.num_targets to {summary.targets}",
            kind="target",
            file=summary.source,
            sample=summary.targets_sample,
            field="targets",
        )
