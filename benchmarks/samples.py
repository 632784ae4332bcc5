"""Random data with the shapes and sizes of NTU RGB+D, and short clips of actions."""

from pathlib import Path

import numpy as np
from mmengine.config import Config

import msg3d
from msg3d.datasets import StoreWriter, save_annotations
from msg3d.synthetic import make_synthetic_actions

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


def write_clips(file: Path, clips: int) -> None:
    """Write a packed store of different clips of 16 to 32 frames.

    The clips are parts of 160 synthetic actions of eight people, as seen by a depth sensor:
    20 joints in meters, some of which are lost. Each clip has its own speed, position,
    size, and view. A tenth is in the split `val`, the others in `train`. Clip i is the
    same in all stores.
    """
    data = make_synthetic_actions(subjects=8, repeats=2, frames=(60, 80))
    sources, meta = data["annotations"], data["meta"]
    splits = {"train": [], "val": []}
    with StoreWriter(file) as writer:
        for number in range(clips):
            clip = _clip(number, sources)
            splits["train" if number % 10 else "val"].append(clip["frame_dir"])
            writer.add(clip)
        writer.splits = splits
        writer.meta = {key: meta[key] for key in ("classes", "layout", "unit")}


def _clip(number: int, sources: list[dict]) -> dict:
    rng = np.random.default_rng([number])
    source = sources[rng.integers(len(sources))]
    motion = source["keypoint"][0]  # (T, V, 3)
    frames, speed = int(rng.integers(16, 33)), rng.uniform(0.7, 1.4)
    start = rng.uniform(0, len(motion) - 1 - speed * (frames - 1))
    motion = motion[np.rint(start + speed * np.arange(frames)).astype(int)]
    angle, size = rng.uniform(-np.pi / 6, np.pi / 6), rng.uniform(0.9, 1.1)
    sine, cosine = size * np.sin(angle), size * np.cos(angle)
    turn = np.float32([[cosine, 0, sine], [0, size, 0], [-sine, 0, cosine]])
    present = motion.any(axis=-1, keepdims=True)
    motion = (motion @ turn.T + rng.normal(0, 0.5, 3).astype(np.float32)) * present
    return {
        "frame_dir": f"clip{number:07d}",
        "label": source["label"],
        "total_frames": frames,
        "keypoint": motion[None],  # (1, T, V, 3)
    }
