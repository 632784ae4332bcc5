"""From a config and a checkpoint to a file that needs neither."""

import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Optional, Union

import numpy as np
from mmengine.config import Config

from ..apis.exported import OnnxScores
from ..apis.exported_program import load_program, program_bytes
from ..apis.trained import (
    TestPipeline,
    TorchScores,
    class_names,
    load_config,
    load_model,
)
from ..errors import ConfigError
from ..io.atomic import whole_file
from .network import trace
from .recipe import recipe_text

SUFFIXES = (".onnx", ".pt2")
# Of scores between 0 and 1.
TOLERANCE = 1e-4


def export(
    config: Union[str, Path, Config],
    checkpoint: Union[str, Path],
    out: Union[str, Path],
    classes: Optional[Sequence[str]] = None,
) -> float:
    """Writes a trained network as a file that carries its classes and preprocessing.

    The file is compared with the network before it takes its name, on inputs of other
    sizes than it was traced with.

    Args:
        config: the recipe that it was trained with, a file or read already.
        checkpoint: file or URL; nothing in it is executed.
        out: `.onnx` or `.pt2`, torch.export's; `Recognizer.from_exported` reads both.
        classes: names of the classes; None for those in the checkpoint.

    Returns:
        The largest difference of a score that was found.

    Raises:
        ConfigError: config and checkpoint do not make a network with classes, its
            pipeline cannot be carried, or `out` has another suffix.
        ImportError: what writes and runs ONNX files is not installed.
        RuntimeError: the file's scores are not the network's.
    """
    suffix = Path(out).suffix
    if suffix not in SUFFIXES:
        raise ConfigError(f"{out} ends in {suffix!r}, expected one of {SUFFIXES}")
    if suffix == ".onnx":
        try:
            from .onnx_file import onnx_bytes
        except ImportError as error:
            raise ImportError(
                f"{error}: ONNX files take onnx, onnxscript and onnxruntime, pip "
                "install 'msg3d[onnx]'"
            ) from error
    cfg = load_config(config)
    pipeline = TestPipeline(cfg)
    model, saved = load_model(cfg, str(checkpoint), "cpu")
    names = class_names(classes, saved, model.cls_head.num_classes)
    said = recipe_text(pipeline, names, cfg.model.backbone.type)
    eager = TorchScores(model)
    backbone = model.backbone
    joints, channels = backbone.graph.num_node, backbone.in_channels
    shape = (pipeline.expected.num_person, joints, channels)
    samples = probes(*shape)
    expected = [eager(inputs) for inputs in samples]
    program = trace(model, *shape)
    if suffix == ".onnx":
        content = onnx_bytes(program, said)
        exported: Callable = OnnxScores(content)
    else:
        content = program_bytes(program, said)
        exported, _ = load_program(io.BytesIO(content))
    found = [exported(inputs) for inputs in samples]
    difference = max(np.abs(a - b).max() for a, b in zip(found, expected))
    if not difference <= TOLERANCE:
        raise RuntimeError(
            f"the exported network's scores differ from the network's by "
            f"{difference:g}, expected at most {TOLERANCE:g}: {out} was not written"
        )
    with whole_file(str(out)) as file:
        file.write(content)
    return float(difference)


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
