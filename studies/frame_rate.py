"""Study of the frame rate: one network on the same clips at 10, 15, 30, and 60 fps.

MS-G3D with 16 channels is trained on NW-UCLA at 30 fps with windows of 24 frames, so it
depends on the rate. Test clips are converted to each rate by interpolation, and tested as
they are, and with their rate stated in `fps`. The scores of sliding windows are averaged.
"""

import time
from pathlib import Path

import numpy as np
from mmengine.config import Config
from tabulate import tabulate

from msg3d.annotations.files import load_annotations
from msg3d.apis.recognizer import Recognizer
from msg3d.apis.untrimmed import frame_scores
from msg3d.preprocessing.frame_rate import at_rate

from . import dropout
from .recipe import LOADERS, set_channels, set_passes
from .train import folder, spread, train

FPS, RATES = 30, (10, 15, 30, 60)
WINDOW, PASSES, CHANNELS = 24, 40, 16


def settings() -> list[str]:
    """Return all settings."""
    return ["msg3d"]


def run(name: str, seed: int, data: Path, work_dir: Path) -> dict:
    """Train once, and test at all rates with the weights of the last epoch.

    Returns:
        The setting and seed, and the accuracies in percent at each rate: `as_is` and
        `stated`.
    """
    start = time.time()
    ann_file = data / "nw_ucla.pkl"
    cfg = config(ann_file)
    train(cfg, name, seed, work_dir)
    [checkpoint] = folder(work_dir, name, seed).glob("epoch_*.pth")
    recognizer = Recognizer(cfg, str(checkpoint))
    content = load_annotations(ann_file)
    chosen = set(content["split"]["xview_val"])
    samples = [v for v in content["annotations"] if v["frame_dir"] in chosen]
    accuracy: dict[str, dict[int, float]] = {"as_is": {}, "stated": {}}
    for rate in RATES:
        clips = [at_rate({**sample, "fps": FPS}, rate) for sample in samples]
        for key in accuracy:
            inputs = [
                {k: clip[k] for k in clip if k != "fps" or key == "stated"}
                for clip in clips
            ]
            correct = [
                label_of(recognizer, clip) == sample["label"]
                for clip, sample in zip(inputs, samples, strict=True)
            ]
            accuracy[key][rate] = 100 * sum(correct) / len(correct)
    return {
        "setting": name,
        "seed": seed,
        **accuracy,
        "seconds": round(time.time() - start),
    }


def label_of(recognizer: Recognizer, clip: dict) -> int:
    """Return the class with the highest mean score over sliding windows."""
    scores = frame_scores(recognizer, clip, WINDOW, WINDOW // 2)
    return int(np.nanmean(scores, axis=0).argmax())


def config(ann_file: Path) -> Config:
    """Return the config of the network."""
    cfg = dropout.config("none", ann_file)
    set_channels(cfg, CHANNELS)
    cfg.train_dataloader.dataset = cfg.train_dataloader.dataset.dataset
    for loader, split in zip(LOADERS, ("train", "val", "val"), strict=True):
        samples = cfg[loader].dataset
        samples.split, samples.fps = f"xview_{split}", FPS
        crop = {"type": "RandomWindow", "length": WINDOW}
        # Test clips are windows already.
        steps = [crop] if loader == LOADERS[0] else []
        place = [step.type for step in samples.pipeline].index("ResampleFrames")
        samples.pipeline[place : place + 1] = steps
    set_passes(cfg, PASSES)
    return cfg


def report(results: list[dict]) -> str:
    """Return means and standard deviations over the seeds as a Markdown table."""
    rows = [
        (
            f"{rate} fps",
            *(
                spread([r[key][str(rate)] for r in results])
                for key in ("as_is", "stated")
            ),
        )
        for rate in RATES
    ]
    headers = ("clips", "as they are", "with `fps`")
    return tabulate(rows, headers, "github", disable_numparse=True)
