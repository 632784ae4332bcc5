"""Comparison of size and speed between an exported network and the original."""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

import numpy as np
import torch

from ..apis.exported import OnnxScores, Scorer
from ..apis.flops import input_shape
from ..apis.trained import TorchScores, load_model, load_network

BATCHES = (1, 16)
ROUNDS = 15


def compare_speed(config: str, checkpoint: str | None, exported: str) -> Iterator[str]:
    """Yield the rows of a Markdown table with size and time per batch.

    The table compares the original network in PyTorch with the exported network in ONNX
    Runtime. Both are timed alternately on one thread, so other load affects both. The
    speed of the exported network is relative to the original, as the median over rounds.

    Args:
        config, checkpoint: see `export`.
        exported: path of the ONNX file that was exported from this network.
    """
    torch.set_num_threads(1)
    cfg, checkpoint = load_network(config, checkpoint)
    model, _, temperature = load_model(cfg, checkpoint, "cpu")
    weights = sum(p.numel() * p.element_size() for p in model.parameters())
    _, *shape = input_shape(cfg)
    forms: dict[str, tuple[int, Scorer]] = {
        "PyTorch, eager": (weights, TorchScores(model, temperature)),
        "ONNX Runtime": (Path(exported).stat().st_size, OnnxScores(exported, 1)),
    }
    times = {batch: _times(forms, batch, shape) for batch in BATCHES}
    headers = " | ".join(f"batch of {batch}, ms | speed" for batch in BATCHES)
    yield f"| | MB | {headers} |"
    yield f"|---|---|{'---|---|' * len(BATCHES)}"
    for name, (size, _) in forms.items():
        cells = " | ".join(_cells(times[batch], name) for batch in BATCHES)
        yield f"| {name} | {size / 1e6:.1f} | {cells} |"


def _cells(times: dict[str, list[float]], name: str) -> str:
    original, *_ = times.values()
    speed = median(a / b for a, b in zip(original, times[name], strict=True))
    return f"{1e3 * median(times[name]):.0f} | {speed:.2f}"


def _times(
    forms: dict[str, tuple[int, Scorer]], batch: int, shape: Sequence[int]
) -> dict[str, list[float]]:
    """Return the seconds per batch of each form in each round."""
    rng = np.random.default_rng(0)
    inputs = list(rng.normal(size=(batch, 1, *shape)).astype(np.float32))
    times: dict[str, list[float]] = {name: [] for name in forms}
    for _, scores in forms.values():
        scores(inputs)  # warm-up
    for _ in range(ROUNDS):
        for name, (_, scores) in forms.items():
            start = time.perf_counter()
            scores(inputs)
            times[name].append(time.perf_counter() - start)
    return times
