"""Compare data and model before the first iteration.

Otherwise a label above the head's classes is an index error in the loss (on a GPU, an
assertion without details), and a wrong number of joints or targets an error deep in the
model.
"""

from collections.abc import Iterator

import torch
from mmaction.datasets.transforms import PreNormalize2D
from mmaction.registry import HOOKS
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import BaseLoop, Runner
from torch import nn

from ...errors import DataError
from ...skeletons import SKELETONS
from .random_state import random_state_kept


@HOOKS.register_module()
class CheckDataHook(Hook):
    """Refuse to start if labels, joints, or channels do not fit the model.

    Checks the loops that the run has built: training and validation in `train`, one of
    them in `val` and `test`. Nothing is read twice: the data sets have a `summary` of
    their file, and one sample per data set goes through its pipeline. Data sets without
    a summary, and models without `cls_head.num_classes` (or `num_targets`) or
    `backbone.graph`, are skipped.

    Warns about what training does silently: persons beyond those that the pipeline
    takes, and a default picture size.

    Raises:
        DataError: the first difference, with file, sample, field, the property of the
            model, and the line of the config to change.
    """

    priority = "VERY_HIGH"

    def before_run(self, runner: Runner) -> None:
        model = runner.model
        if is_model_wrapper(model):
            model = model.module
        # The public properties would build unused loops, and read their files.
        for loop in (runner._train_loop, runner._val_loop, runner._test_loop):
            if isinstance(loop, BaseLoop):
                for dataset in _leaves(loop.dataloader.dataset):
                    _compare_labels(dataset.summary, model)
                    _compare_joints(dataset, model)
                    for warning in _warnings(dataset):
                        runner.logger.warning(warning)


def _warnings(dataset) -> Iterator[str]:
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


def _leaves(dataset) -> Iterator:
    """The data sets with a summary inside RepeatDataset, ConcatDataset, and others."""
    if getattr(dataset, "summary", None) is not None:
        yield dataset
        return
    inner = [getattr(dataset, "dataset", None), *getattr(dataset, "datasets", [])]
    for part in inner:
        if part is not None:
            yield from _leaves(part)


def _compare_labels(summary, model: nn.Module) -> None:
    head = getattr(model, "cls_head", None)
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


def _compare_targets(summary, head: nn.Module) -> None:
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


def _compare_joints(dataset, model: nn.Module) -> None:
    summary, backbone = dataset.summary, getattr(model, "backbone", None)
    graph = getattr(backbone, "graph", None)
    if graph is None:
        return
    try:
        with random_state_kept():
            shape = _input_shape(dataset)
    except Exception:
        # A pipeline for other joints: they are the cause, and give the clearer error.
        if summary.joints is not None:
            _compare_joint_count(summary.joints, summary, graph)
        raise
    if shape is not None:
        _compare_joint_count(shape[0], summary, graph)
        _compare_channels(shape[1], summary, backbone)


def _compare_joint_count(joints: int, summary, graph) -> None:
    if joints != graph.num_node:
        fitting = [
            name for name, body in SKELETONS.items() if len(body.joints) == joints
        ]
        fitting = f"{fitting[0]!r}" if fitting else f"a layout of {joints} joints"
        raise DataError(
            f"keypoint has {joints} joints, but the model's graph "
            f"{_layout_name(graph)} has {graph.num_node}: set "
            f"model.backbone.graph_cfg.layout to {fitting}, or ann_file to data of "
            f"{graph.num_node} joints",
            kind="layout",
            file=summary.source,
            sample=summary.sample,
            field="keypoint",
        )


def _layout_name(graph) -> str:
    named = isinstance(graph.layout, str)
    return f"layout {graph.layout!r}" if named else "layout"


def _compare_channels(channels: int, summary, backbone: nn.Module) -> None:
    expected = getattr(backbone, "in_channels", None)
    if expected is not None and channels != expected:
        score = " and keypoint_score" if summary.scored else ", without keypoint_score,"
        raise DataError(
            f"keypoint of {summary.channels} coordinates{score} gives {channels} "
            f"channels after the pipeline, but the model takes {expected}: set "
            f"model.backbone.in_channels to {channels}, or change the pipeline",
            kind="shape",
            file=summary.source,
            sample=summary.sample,
            field="keypoint",
        )


def _input_shape(dataset) -> tuple[int, int] | None:
    """(V, C) of the first sample after the pipeline; None if it is not a clip.

    Scores, features, and joint selections change the content of the file, so the
    pipeline's result is compared. Clips are [N, M, T, V, C].
    """
    packed = dataset.pipeline(dataset.get_data_info(0))
    inputs = packed.get("inputs") if isinstance(packed, dict) else None
    if not isinstance(inputs, torch.Tensor) or inputs.ndim != 5:
        return None
    return inputs.shape[3], inputs.shape[4]
