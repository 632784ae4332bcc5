"""Random data with the shapes and sizes of NTU RGB+D."""

from pathlib import Path

import numpy as np
from mmengine.config import Config

import msg3d
from msg3d.datasets import StoreWriter, save_annotations

CONFIGS = Path(msg3d.__file__).parent / "configs" / "msg3d"
TWO_PERSONS = 11 / 60  # 11 of the 60 actions of NTU RGB+D 60 have two persons.


def ntu_config(form: str) -> Path:
    """Return the recipe for "3d" or "2d"."""
    return CONFIGS / f"msg3d_8xb16-joint-u100-80e_ntu60-xsub-keypoint-{form}.py"


def sized_config(
    form: str, base_channels: int, frames: int, persons: int = 2
) -> Config:
    """Return the recipe for "3d" or "2d" with other sizes of network and clips."""
    cfg = Config.fromfile(ntu_config(form))
    cfg.model.backbone.update(base_channels=base_channels, num_person=persons)
    cfg.model.cls_head.in_channels = 4 * base_channels
    sizes = {"clip_len": frames, "num_person": persons}
    for data in (cfg.train_dataloader.dataset.dataset, cfg.test_dataloader.dataset):
        for step in data.pipeline:
            step.update({key: value for key, value in sizes.items() if key in step})
    return cfg


def write_samples(
    file: Path, samples: int, form: str = "3d", two_persons: float = TWO_PERSONS
) -> None:
    """Write samples of 30 to 300 frames (median 85). Both splits contain all samples.

    Sample i is the same in all files.

    Args:
        file: packed store if the name ends in .packed, otherwise annotation file.
        samples: number of samples.
        form: "3d" for 25 joints in meters, "2d" for 17 joints in pixels with scores. Both
            are float16, as in the files of MMAction2.
        two_persons: probability that a sample shows two persons instead of one.
    """
    # Samples are parts of one long random walk.
    shape = (2400, 25, 3) if form == "3d" else (2400, 17, 2)
    walk = np.random.default_rng(0).normal(scale=0.01, size=shape).cumsum(axis=0)
    walk += np.random.default_rng(1).normal(size=shape[1:])
    if form == "2d":
        walk = walk * 200 + (960, 540)
    entries = [_sample(number, walk, two_persons) for number in range(samples)]
    names = [entry["frame_dir"] for entry in entries]
    split = {"xsub_train": names, "xsub_val": names}
    if file.suffix == ".packed":
        with StoreWriter(file) as writer:
            for entry in entries:
                writer.add(entry)
            writer.splits = split
    else:
        save_annotations({"split": split, "annotations": entries}, str(file))


def _sample(number: int, walk: np.ndarray, two_persons: float) -> dict:
    rng = np.random.default_rng([number])
    frames = int(np.clip(rng.lognormal(np.log(85), 0.35), 30, 300))
    starts = rng.integers(len(walk) - frames, size=1 + int(rng.random() < two_persons))
    keypoint = np.stack([walk[start : start + frames] for start in starts])
    entry = {"frame_dir": f"sample{number:06d}", "label": int(rng.integers(60))}
    entry.update(total_frames=frames, keypoint=keypoint.astype(np.float16))
    if walk.shape[-1] == 2:
        score = rng.uniform(0.3, 1, size=keypoint.shape[:3]).astype(np.float16)
        entry.update(keypoint_score=score, img_shape=(1080, 1920))
        entry["original_shape"] = entry["img_shape"]
    return entry
