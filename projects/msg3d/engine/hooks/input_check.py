"""Compatibility checks for pipeline outputs and network inputs."""

import copy
from collections.abc import Iterator
from typing import Any

import torch
from mmaction.models import GCNHead
from mmaction.models.utils import Graph
from mmengine.dataset import BaseDataset
from mmengine.model import BaseModel, BaseModule
from torch import Tensor, nn

from ...errors import ConfigError, DataError, MSG3DError
from ...skeletons import SKELETONS, skeleton
from .random_state import random_state_kept

FRAMES = 16  # of the clip whose features are computed


def check_inputs(dataset: BaseDataset, model: BaseModel) -> Tensor | None:
    """Check that layouts, joints, channels, and persons of data and model match.

    The first sample passes through the pipeline, whose steps may add scores, compute
    features, or select joints.

    Args:
        dataset: a data set with a `summary` of its file.
        model: a recognizer. It is not checked if its backbone has no `graph`.

    Returns:
        Clips of the first sample, [N, M, T, V, C], or None if they were not checked.

    Raises:
        ConfigError: the config contains different layouts (kind `layout`), numbers of
            persons (kind `option`), or channels (kind `shape`).
        DataError: the joints (kind `layout`) or channels (kind `shape`) of the file
            differ from the model's.
    """
    summary, backbone = dataset.summary, getattr(model, "backbone", None)
    graph = getattr(backbone, "graph", None)
    if backbone is None or graph is None:
        return None
    try:
        with random_state_kept():
            packed = dataset.pipeline(dataset.get_data_info(0))
    except Exception:
        # The wrong number of joints may be the cause, and gives the clearer error.
        if not _converts(dataset) and summary.joints is not None:
            _compare_joints(summary.joints, dataset, graph)
        _compare_layouts(dataset, graph)
        raise
    clips = packed.get("inputs") if isinstance(packed, dict) else None
    if not isinstance(clips, Tensor) or clips.ndim != 5:
        return None
    _compare_joints(clips.shape[3], dataset, graph)
    _compare_layouts(dataset, graph)
    _compare_channels(clips.shape[4], dataset, backbone)
    _compare_persons(clips.shape[1], backbone)
    return clips


def check_head(model: BaseModel, clips: Tensor) -> None:
    """Check that the channels of backbone and head match.

    A copy of the backbone computes the features of a short clip on CPU in eval mode.
    Random states and running statistics do not change.

    Args:
        model: a recognizer. It is not checked without a GCNHead or TraitHead.
        clips: [N, M, T, V, C].

    Raises:
        ConfigError: the channels differ (kind `option`).
    """
    head = getattr(model, "cls_head", None)
    if not isinstance(head, GCNHead):
        return
    backbone = copy.deepcopy(model.backbone).cpu().float().eval()
    try:
        with torch.no_grad(), random_state_kept():
            features = backbone(clips[:1, :, :FRAMES].float())
    except MSG3DError:
        raise
    except Exception:  # an unsupported input, which training will report
        return
    if features.ndim == 5 and features.shape[2] != head.in_channels:
        channels, name = features.shape[2], type(model.backbone).__name__
        raise ConfigError(
            f"model.cls_head.in_channels is {head.in_channels}, but {name} with this "
            f"base_channels returns {channels} channels. Set "
            f"model.cls_head.in_channels to {channels}.",
            kind="option",
            field="model.cls_head.in_channels",
        )


def _steps(dataset: BaseDataset) -> Iterator[tuple[str, Any]]:
    for step in dataset.pipeline.transforms:
        yield type(step).__name__, step


def _converts(dataset: BaseDataset) -> bool:
    return "ConvertLayout" in dict(_steps(dataset))


def _compare_joints(joints: int, dataset: BaseDataset, graph: Graph) -> None:
    if joints == graph.num_node:
        return
    summary = dataset.summary
    fitting = [name for name, body in SKELETONS.items() if len(body.joints) == joints]
    advised = f"{fitting[0]!r}" if fitting else f"a layout with {joints} joints"
    steps = ", ".join(name for name, _ in _named(dataset))
    others = steps and f" and the layout of {steps} in the pipeline"
    raise DataError(
        f"'keypoint' has {joints} joints, but the model's {_layout_name(graph)} has "
        f"{graph.num_node}. Set model.backbone.graph_cfg.layout{others} to {advised}, "
        f"or ann_file to data with {graph.num_node} joints.",
        kind="layout",
        file=summary.source,
        sample=summary.sample,
        field="keypoint",
    )


def _layout_name(graph: Graph) -> str:
    named = isinstance(graph.layout, str)
    return f"layout {graph.layout!r}" if named else "layout"


def _compare_layouts(dataset: BaseDataset, graph: Graph) -> None:
    """Compare joint names, which differ between layouts of the same size."""
    expected = _joint_names(graph.layout)
    for name, layout in _named(dataset):
        joints = _joint_names(layout)
        if None not in (joints, expected) and joints != expected:
            raise ConfigError(
                f"{name} in the pipeline has layout {_title(layout)}, but "
                f"model.backbone.graph_cfg.layout is {_title(graph.layout)}. Set both "
                "to the layout of the data.",
                kind="layout",
                field=f"{name}.layout",
            )
    key, configured = "model.backbone.graph_cfg.layout", graph.layout
    converter = dict(_steps(dataset)).get("ConvertLayout")
    if converter is not None:
        key, configured = "source of ConvertLayout", converter.source
    layout, expected = (
        getattr(dataset.summary, "layout", None),
        _joint_names(configured),
    )
    # Data must not refer to other files.
    joints = None if str(layout).endswith(".json") else _joint_names(layout)
    if None not in (joints, expected) and joints != expected:
        raise DataError(
            f"the data has layout {_title(layout)}, but {key} is {_title(configured)}. "
            f"Set {key} to {_title(layout)}, or convert the data with ConvertLayout.",
            kind="layout",
            file=dataset.summary.source,
            field="meta['layout']",
        )


def _named(dataset: BaseDataset) -> Iterator[tuple[str, Any]]:
    """Yield (name, layout) of all steps that depend on the layout.

    Steps before ConvertLayout use the layout of the file and are skipped.
    """
    named: list[tuple[str, Any]] = []
    for name, step in _steps(dataset):
        layout = getattr(step, "layout", None)
        if name == "ConvertLayout":
            named, layout = [], step.target
        elif name in ("GenSkeFeat", "SkeletonFeatures"):
            feats = step.feats or [getattr(dataset, "stream", None)]
            bones = {"b", "bm"} & set(feats)
            layout = getattr(step, "dataset", layout) if bones else None
        if layout is not None:
            named.append((name, layout))
    yield from named


def _joint_names(layout: Any) -> tuple[str, ...] | None:
    """Return the joint names, or None for unnamed joints and unknown layouts."""
    try:
        joints = skeleton(layout).joints
    except MSG3DError:
        return None
    return None if "joint_0" in joints else joints


def _title(layout: Any) -> str:
    return repr(layout) if isinstance(layout, str) else "a custom layout"


def _compare_channels(
    channels: int, dataset: BaseDataset, backbone: BaseModule
) -> None:
    expected, summary = getattr(backbone, "in_channels", None), dataset.summary
    if expected is None or channels == expected:
        return
    for name, step in _steps(dataset):
        feats = getattr(step, "feats", None)
        if feats and len(feats) > 1 and not isinstance(feats, str):
            raise ConfigError(
                f"feats={list(feats)} of {name} in the pipeline gives {channels} "
                f"channels, but the model expects {expected}. Set "
                f"model.backbone.in_channels to {channels}, or feats to one stream.",
                kind="shape",
                file=summary.source,
                field="feats",
            )
    score = "and" if summary.scored else "without"
    raise DataError(
        f"'keypoint' with {summary.channels} coordinates {score} 'keypoint_score' "
        f"gives {channels} channels after the pipeline, but the model expects "
        f"{expected}. Set model.backbone.in_channels to {channels}, or change the "
        "pipeline.",
        kind="shape",
        file=summary.source,
        sample=summary.sample,
        field="keypoint",
    )


def _compare_persons(persons: int, backbone: BaseModule) -> None:
    # A BatchNorm per person, joint, and channel fixes the number of persons.
    norm = getattr(backbone, "data_bn", None)
    per_person = getattr(backbone, "data_bn_type", "MVC") == "MVC"
    if not per_person or not isinstance(norm, nn.BatchNorm1d):
        return
    expected = norm.num_features // (backbone.graph.num_node * backbone.in_channels)
    if persons != expected:
        raise ConfigError(
            f"the pipeline gives clips with M={persons} persons, but the model expects "
            f"M={expected}. Set model.backbone.num_person to {persons}, or "
            f"num_person of FormatGCNInput to {expected}.",
            kind="option",
            field="num_person",
        )
