"""What a frame of a stream costs: keeping it, and its part of a label."""

import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.registry import init_default_scope

from msg3d.apis import Recognizer, Stream

from .data import ntu_config
from .progress import progress
from .results import Results, table

EVERY = 10  # frames between two labels


def run(options, results: Results) -> None:
    """MS-G3D of the NTU config in 3D, one clip a label; `results.data["stream"]`."""
    rows = results.data["stream"] = []
    with tempfile.TemporaryDirectory() as folder:
        recognizer = _recognizer(Path(folder), options)
    for persons in range(1, options.persons + 1):
        progress(f"stream: {persons} of {options.persons} persons")
        rows.append(_measure(recognizer, persons, options))
        results.save()
    results.show("Stream", _text(rows, options))


def _recognizer(folder: Path, options) -> Recognizer:
    init_default_scope("mmaction")
    cfg = Config.fromfile(ntu_config("3d"))
    base = options.base_channels
    cfg.model.backbone.update(base_channels=base, num_person=options.persons)
    cfg.model.cls_head.in_channels = 4 * base
    for step in cfg.test_dataloader.dataset.pipeline:
        if "clip_len" in step:
            step.clip_len = options.frames
        if "num_person" in step:
            step.num_person = options.persons
    torch.manual_seed(0)
    checkpoint = folder / "random.pth"
    torch.save(dict(state_dict=MODELS.build(cfg.model).state_dict()), checkpoint)
    return Recognizer(cfg, checkpoint, device=options.device, clips=1)


def _measure(recognizer: Recognizer, persons: int, options) -> dict:
    rng = np.random.default_rng(0)
    stream = Stream(recognizer, options.frames, every=EVERY)
    kept, labels = [], []
    # A full window first, and a label to warm up.
    for number in range(options.frames + (options.repeats + 1) * EVERY):
        frame = np.zeros((options.persons, 25, 3), np.float32)
        frame[:persons] = rng.normal(size=(persons, 25, 3))
        began = time.perf_counter()
        found = stream.add(frame)
        spent = time.perf_counter() - began
        if number >= options.frames + EVERY:
            (labels if found else kept).append(1e3 * spent)
    label = statistics.median(labels)
    return dict(
        persons=persons,
        label_ms=label,
        keep_ms=statistics.median(kept),
        frame_ms=label / EVERY + statistics.median(kept),
    )


def _text(rows: list, options) -> str:
    columns = {
        "persons there": lambda row: row["persons"],
        f"ms a label of {options.frames} frames": lambda row: f"{row['label_ms']:.0f}",
        "ms to keep a frame": lambda row: f"{row['keep_ms']:.3f}",
        f"ms a frame, a label every {EVERY}": lambda row: f"{row['frame_ms']:.1f}",
        "frames/s": lambda row: f"{1000 / row['frame_ms']:.0f}",
    }
    return (
        f"{table(rows, columns)}\n\nNTU RGB+D in 3D, one clip a label; from keypoints "
        "to scores, pose estimation not included."
    )
