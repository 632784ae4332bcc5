"""Exported networks against the network in torch: megabytes and milliseconds."""

import os
import tempfile
import time
from collections.abc import Iterator
from statistics import median

import numpy as np
import torch

from msg3d.apis.exported import OnnxScores
from msg3d.apis.flops import input_shape
from msg3d.apis.trained import TorchScores, load_config, load_model

BATCHES = (1, 16)
ROUNDS = 15


def compare_speed(config: str, checkpoint: str, exported: str) -> Iterator[str]:
    """Rows of a Markdown table: each form's size and its time for a batch.

    One thread; the forms take turns, so that what else the machine does falls on all.

    Args:
        config, checkpoint: of the network.
        exported: the ONNX file of it.
    """
    from onnxruntime.quantization import quantize_dynamic

    torch.set_num_threads(1)
    cfg = load_config(config)
    model, _ = load_model(cfg, checkpoint, "cpu")
    weights = sum(one.numel() * one.element_size() for one in model.parameters())
    _, *shape = input_shape(cfg)
    with tempfile.TemporaryDirectory() as folder:
        small = os.path.join(folder, "int8.onnx")
        quantize_dynamic(exported, small, ["MatMul", "Gemm"], per_channel=True)
        forms = {
            "torch, eager": (weights, TorchScores(model)),
            "onnxruntime": (os.path.getsize(exported), OnnxScores(exported, 1)),
            "onnxruntime, int8": (os.path.getsize(small), OnnxScores(small, 1)),
        }
        times = {batch: _times(forms, batch, shape) for batch in BATCHES}
    heads = " | ".join(f"batch of {batch}, ms" for batch in BATCHES)
    yield f"| | MB | {heads} |"
    yield f"|---|---|{'---|' * len(BATCHES)}"
    for name, (size, _) in forms.items():
        cells = " | ".join(f"{1e3 * times[batch][name]:.0f}" for batch in BATCHES)
        yield f"| {name} | {size / 1e6:.1f} | {cells} |"


def _times(forms: dict, batch: int, shape: list[int]) -> dict[str, float]:
    """The median of each form, in seconds."""
    rng = np.random.default_rng(0)
    inputs = list(rng.normal(size=(batch, 1, *shape)).astype(np.float32))
    found: dict[str, list[float]] = {name: [] for name in forms}
    for _, scores in forms.values():
        scores(inputs)  # the first call makes what the next ones keep
    for _ in range(ROUNDS):
        for name, (_, scores) in forms.items():
            start = time.perf_counter()
            scores(inputs)
            found[name].append(time.perf_counter() - start)
    return {name: median(values) for name, values in found.items()}
