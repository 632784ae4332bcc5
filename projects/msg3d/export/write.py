"""Export a trained network to a file that needs neither config nor checkpoint."""

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
    has_targets,
    load_model,
    load_network,
)
from ..errors import CheckpointError, ConfigError
from ..io.atomic import whole_file
from ..preprocessing.steps import STEPS
from ..skeletons import inline_layouts
from .network import trace

# Of scores between 0 and 1, and relative to larger targets.
TOLERANCE = 1e-4
# Makes a tensor of the array, which an exported network takes as it is.
PACKING = "PackActionInputs"


def export(
    config: str | Path | Config,
    checkpoint: str | Path | None,
    out: str | Path,
    classes: Sequence[str] | None = None,
) -> float:
    """Export a trained network to a file that carries its classes and preprocessing.

    The scores of the exported network are compared with those of the original before the
    file is written, on inputs of other sizes than it was traced with.

    Args:
        config: the config that it was trained with, a file, the name of a shipped one,
            or a `Config`; or a checkpoint that contains it, with `checkpoint=None`.
        checkpoint: file or URL; nothing in it is executed.
        out: `.onnx` or `.pt2`, torch.export's; `Recognizer.from_exported` reads both.
        classes: names of the classes or targets; None for those in the checkpoint.

    Returns:
        The largest difference between the scores.

    Raises:
        ConfigError: config and checkpoint do not fit, the file cannot carry the
            pipeline, or `out` has another suffix.
        ImportError: onnx, onnxscript, or onnxruntime is not installed.
        CheckpointError: the scores of the exported network differ (`score`).
    """
    suffix = Path(out).suffix
    if suffix not in SUFFIXES:
        raise ConfigError(
            f"the output file ends in {suffix!r}, expected {' or '.join(SUFFIXES)}",
            kind="file-name",
            file=str(out),
        )
    if suffix == ".onnx":
        try:
            from .onnx_file import onnx_bytes
        except ImportError as error:
            raise ImportError(
                f"{error}. ONNX files require onnx, onnxscript, and onnxruntime: pip "
                "install 'msg3d[onnx]'"
            ) from error
    cfg, checkpoint = load_network(config, checkpoint)
    pipeline = TestPipeline(cfg)
    model, saved = load_model(cfg, checkpoint, "cpu")
    names = class_names(classes, saved, model.cls_head.num_classes)
    kind = "targets" if has_targets(model) else "classes"
    recipe = recipe_text(pipeline, cfg.model.backbone.type, **{kind: names})
    eager = TorchScores(model)
    backbone = model.backbone
    joints, channels = backbone.graph.num_node, backbone.in_channels
    shape = (pipeline.expected.num_person, joints, channels)
    samples = probes(*shape)
    expected = [eager(inputs) for inputs in samples]
    program = trace(model, *shape)
    if suffix == ".onnx":
        content = onnx_bytes(program, recipe)
        exported: Scorer = OnnxScores(content)
    else:
        content = program_bytes(program, {KEY: recipe})
        exported, _ = load_program(io.BytesIO(content), KEY)
    found = [exported(inputs) for inputs in samples]
    difference = max(np.abs(a - b).max() for a, b in zip(found, expected, strict=True))
    tolerance = TOLERANCE * max(1.0, *(float(np.abs(each).max()) for each in expected))
    if not difference <= tolerance:
        raise CheckpointError(
            f"scores of the exported network differ from the original by "
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
) -> str:
    """The JSON that an exported file carries, which `apis.exported` reads.

    Args:
        pipeline: of the config.
        network: name of the backbone, for readers.
        classes, targets: names of the outputs, one of the two.

    Raises:
        ConfigError: the pipeline has a step that an exported file cannot carry.
    """
    recipe = {
        "format": 2 if targets else 1,
        "network": network,
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
            f"an exported file cannot carry the step {name} of the test pipeline, only "
            f"{', '.join(STEPS)}, and {PACKING}. Leave the step out of "
            "test_dataloader and do its work in the annotation file.",
            kind="config",
            field=f"test_pipeline.{name}",
        )
    return dict(step)


def probes(persons: int, joints: int, channels: int) -> list[list[np.ndarray]]:
    """Batches of random walks: one alone; many, odd and long; one person absent.

    Each is a list of float32 [clips, M, T, V, C].
    """
    rng = np.random.default_rng(0)
    found = []
    for batch, clips, frames in ((1, 1, 16), (3, 2, 37), (2, 1, 100)):
        shape = (batch, clips, persons, frames, joints, channels)
        start = rng.normal(size=(*shape[:3], 1, joints, channels))
        steps = rng.normal(scale=0.05, size=shape).cumsum(3)
        found.append((start + steps).astype(np.float32))
    found[-1][0, :, 1:] = 0
    return [list(inputs) for inputs in found]
