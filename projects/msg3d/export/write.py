"""Export of a trained network to a file that requires neither config nor checkpoint."""

import copy
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.config import Config

from ..apis.exported import KEY, SUFFIXES, OnnxScores, Scorer
from ..apis.exported_program import load_program, program_bytes
from ..apis.trained import (
    TestPipeline,
    TorchScores,
    class_names,
    feature_hash,
    has_targets,
    load_model,
    load_network,
)
from ..errors import CheckpointError, ConfigError
from ..io.atomic import whole_file
from ..preprocessing.steps import STEPS
from ..skeletons import inline_layouts
from .network import ExportedNetwork, trace_network

# Maximum difference of outputs, absolute for scores up to 1 and relative otherwise.
TOLERANCE = 1e-4
# Omitted step, which converts arrays to tensors. Exported networks take arrays.
PACKING = "PackActionInputs"


def export(
    config: str | Path | Config,
    checkpoint: str | Path | None,
    out: str | Path,
    classes: Sequence[str] | None = None,
) -> float:
    """Export a trained network to a file with its classes and preprocessing.

    Before the file is written, the outputs of the exported network are compared with
    those of the original network, for inputs of sizes not used for tracing. The network
    applies the temperature of a calibrated checkpoint to its scores.

    Args:
        config: training config of the network: a path, the name of a shipped config, or
            a `Config`. If `checkpoint` is None, `config` is instead the path or URL of a
            checkpoint that contains its training config.
        checkpoint: path or URL of the weights. The file is loaded without executing code.
        out: path of the file to write, which ends in `.onnx`, or in `.pt2` for
            torch.export. `Recognizer.from_exported` loads both.
        classes: names of the classes or targets; None for the names in the checkpoint.

    Returns:
        Largest absolute difference between the outputs of the two networks.

    Raises:
        ConfigError: config and checkpoint do not match, the network or its pipeline
            cannot be exported, or `out` has another suffix.
        ImportError: onnx, onnxscript, or ONNX Runtime is not installed.
        CheckpointError: the outputs of the two networks differ (kind `score`).
    """
    suffix = Path(out).suffix
    if suffix not in SUFFIXES:
        raise ConfigError(
            f"the output file ends in {suffix!r}, expected "
            f"{' or '.join(map(repr, SUFFIXES))}",
            kind="file-name",
            file=str(out),
        )
    if suffix == ".onnx":
        try:
            from .onnx_file import onnx_bytes
        except ImportError as error:
            raise ImportError(
                f"{error}. ONNX files require onnx, onnxscript, and ONNX Runtime. Run "
                "`pip install 'msg3d[onnx]'`."
            ) from error
    cfg, checkpoint = load_network(config, checkpoint)
    pipeline = TestPipeline(cfg)
    model, saved, temperature = load_model(cfg, checkpoint, "cpu")
    names = class_names(classes, saved, model.cls_head.num_classes)
    kind = "targets" if has_targets(model) else "classes"
    recipe = recipe_text(
        pipeline,
        cfg.model.backbone.type,
        feature_hash=feature_hash(model, pipeline),
        **{kind: names},
    )
    eager = TorchScores(model, temperature)
    backbone = model.backbone
    joints, channels = backbone.graph.num_node, backbone.in_channels
    shape = (pipeline.expected.num_person, joints, channels)
    samples = probes(*shape)
    expected = [eager(inputs) for inputs in samples]
    classifies = hasattr(model.cls_head, "fc") and not has_targets(model)
    features = classifies and suffix == ".onnx"
    network = ExportedNetwork(model, features, temperature)
    if suffix == ".onnx":
        content = onnx_bytes(network, *shape, recipe)
        exported: Scorer = OnnxScores(content)
    else:
        program = trace_network(network, *shape)
        content = program_bytes(program, {KEY: recipe})
        exported, _ = load_program(io.BytesIO(content), KEY)
    actual = [exported(inputs) for inputs in samples]
    difference = max(np.abs(a - b).max() for a, b in zip(actual, expected, strict=True))
    tolerance = TOLERANCE * max(1.0, *(float(np.abs(row).max()) for row in expected))
    if not difference <= tolerance:
        raise CheckpointError(
            f"the outputs of the exported network differ from the original by "
            f"{difference:g}, expected at most {tolerance:g}. The file was not written.",
            kind="score",
            file=str(out),
        )
    with whole_file(str(out)) as file:
        file.write(content)
    return float(difference)


def recipe_text(
    pipeline: TestPipeline,
    network: str,
    classes: Sequence[str] = (),
    targets: Sequence[str] = (),
    feature_hash: str = "",
) -> str:
    """Return the JSON text with classes and preprocessing that `apis.exported` reads.

    Args:
        pipeline: test pipeline of the network.
        network: name of the backbone, for information only.
        classes, targets: names of the outputs. Pass only one of them.
        feature_hash: hash that identifies the features; see `apis.trained`.

    Raises:
        ConfigError: a step of the pipeline cannot be exported.
    """
    recipe = {
        "format": 2 if targets else 1,
        "network": network,
        "feature_hash": feature_hash,
        "classes": list(classes),
        "expected": vars(pipeline.expected),
        "pipeline": [
            _plain(step) for step in pipeline.steps if step["type"] != PACKING
        ],
    }
    if targets:
        recipe["targets"] = list(targets)
    recipe = copy.deepcopy(recipe)
    inline_layouts(recipe)
    return json.dumps(recipe)


def _plain(step: Mapping[str, Any]) -> dict[str, Any]:
    name = step["type"]
    if name not in STEPS:
        raise ConfigError(
            f"the step {name!r} of the test pipeline cannot be exported, expected "
            f"{', '.join(STEPS)}, or {PACKING}. Remove the step from test_dataloader and "
            "apply it to the annotation file instead.",
            kind="config",
            field=f"test_pipeline.{name}",
        )
    return dict(step)


def probes(persons: int, joints: int, channels: int) -> list[list[np.ndarray]]:
    """Return three batches of random walks for a comparison of networks.

    The batches consist of a single clip, of samples with an odd number of frames, and of
    long samples with absent persons.

    Args:
        persons, joints, channels: sizes M, V, and C.

    Returns:
        List of batches. A batch is a list of float32 [clips, M, T, V, C].
    """
    rng = np.random.default_rng(0)
    batches = []
    for batch, clips, frames in ((1, 1, 16), (3, 2, 37), (2, 1, 100)):
        shape = (batch, clips, persons, frames, joints, channels)
        start = rng.normal(size=(*shape[:3], 1, joints, channels))
        steps = rng.normal(scale=0.05, size=shape).cumsum(3)
        batches.append((start + steps).astype(np.float32))
    batches[-1][0, :, 1:] = 0
    return [list(inputs) for inputs in batches]
