"""Time storing a frame and computing a label in a stream.

The network is MS-G3D of the NTU RGB+D 3D config, with one clip per label. Times cover the
steps from keypoints to scores, without pose estimation. `frames per s` is for a label every
10 frames.
"""

import tempfile
from pathlib import Path

import numpy as np
import torch
from mmaction.registry import MODELS
from mmengine.registry import init_default_scope

from msg3d.apis import Recognizer, Stream

from .samples import sized_config
from .timing import interleave

EVERY = 10  # frames between two labels


def run(options, results) -> None:
    recognizer, steps = make_recognizer(options), {}
    for persons in range(1, options.persons + 1):
        for step, every in (("label", EVERY), ("store", 10**9)):
            steps[persons, step] = ten_frames(recognizer, persons, every, options)
    for times in interleave(steps, options.rounds, "stream"):
        rows = []
        for persons in range(1, options.persons + 1):
            store = times[persons, "store"]["median_ms"] / EVERY
            median = times[persons, "label"]["median_ms"]
            row = {
                "persons": persons,
                "label_ms": median - EVERY * store,
                "store_ms": store,
            }
            rows.append(dict(row, frames_per_s=1e3 * EVERY / median))
        results.table("stream", rows)


def make_recognizer(options) -> Recognizer:
    """Return a recognizer with random weights."""
    init_default_scope("mmaction")
    cfg = sized_config("3d", options.base_channels, options.frames, options.persons)
    torch.manual_seed(0)
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = Path(folder) / "random.pth"
        torch.save({"state_dict": MODELS.build(cfg.model).state_dict()}, checkpoint)
        return Recognizer(cfg, checkpoint, device=options.device, clips=1)


def ten_frames(recognizer: Recognizer, persons: int, every: int, options):
    """Return a function that adds EVERY frames to a full stream."""
    stream = Stream(recognizer, options.frames, every=every)
    frame = np.zeros((options.persons, 25, 3), np.float32)
    frame[:persons] = np.random.default_rng(0).normal(size=(persons, 25, 3))

    def step() -> None:
        for _ in range(EVERY):
            stream.add(frame)

    for _ in range(options.frames):
        stream.add(frame)
    return step
