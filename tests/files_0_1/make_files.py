"""Write the files that tests/test_old_files.py reads, with msg3d 0.1.0 (55c8d1e).

Run it from the root of a checkout of that commit:

    PYTHONPATH=projects OMP_NUM_THREADS=1 python make_files.py files_0_1

The folder is replaced. Data and training are seeded, but checkpoints record when they
were written, so a second run does not produce identical bytes.
"""

import argparse
import hashlib
import json
import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import mmengine
import numpy as np
import torch
from mmengine.config import Config
from mmengine.runner import Runner
from mmengine.runner.checkpoint import CheckpointLoader

import msg3d
from msg3d.checkpoints import rewrite
from msg3d.datasets import load_annotations, load_store, pack, save_annotations
from msg3d.evaluation import labels_of, read_scores
from msg3d.export import export
from msg3d.skeletons import skeleton

ROOT = Path(__file__).resolve().parent
CONFIGS = ROOT / "projects" / "msg3d" / "configs"
CLASSES = ["wave", "kick", "bow"]
# Five joints of nturgb+d, because the size of MS-G3D's graphs grows with V ** 2.
FIVE_JOINTS = dict(
    num_node=5,
    inward=[(1, 0), (2, 0), (3, 0), (4, 0)],
    center=0,
    joints=["spine_mid", "left_hand", "right_hand", "left_foot", "right_foot"],
)
TWO_BLOCKS = dict(base_channels=8, num_stages=2, inflate_stages=[2], down_stages=[2])
ONE_BLOCK = dict(base_channels=8, num_stages=1, inflate_stages=[], down_stages=[])


class Recipe(NamedTuple):
    """Training run on one of the annotation files.

    Attributes:
        base: path of the base config in `configs`.
        annotations: annotation file with the splits `train` and `val`.
        backbone: config of the backbone.
        in_channels: number of channels of its features.
    """

    base: str
    annotations: str
    backbone: dict
    in_channels: int


RECIPES = dict(
    msg3d_3d=Recipe(
        "msg3d/msg3d_8xb16-joint-u100-80e_ntu60-xsub-keypoint-3d.py",
        "ntu_3d.pkl",
        dict(
            type="MSG3D",
            graph_cfg=dict(layout=FIVE_JOINTS, mode="binary_adj"),
            base_channels=8,
            num_gcn_scales=3,
            num_g3d_scales=2,
        ),
        32,
    ),
    aagcn_3d=Recipe(
        "agcn/aagcn_8xb16-joint-u100-80e_ntu60-xsub-keypoint-3d.py",
        "ntu_3d.pkl",
        dict(
            type="LayoutAAGCN",
            graph_cfg=dict(layout="nturgb+d", mode="spatial"),
            **TWO_BLOCKS,
        ),
        16,
    ),
    stgcn_2d=Recipe(
        "stgcn/stgcn_8xb16-joint-u100-80e_ntu60-xsub-keypoint-2d.py",
        "coco_2d.pkl",
        dict(
            type="PartitionSTGCN",
            graph_cfg=dict(layout="coco", mode="stgcn_spatial"),
            init_cfg=None,
            **ONE_BLOCK,
        ),
        8,
    ),
)
# Exported file -> network. The .pt2 of MS-G3D is left out because it takes 1 MB.
EXPORTED = {
    "msg3d_3d.onnx": "msg3d_3d",
    "stgcn_2d.onnx": "stgcn_2d",
    "stgcn_2d.pt2": "stgcn_2d",
}
# Checkpoint -> network.
CHECKPOINTS = {
    "msg3d_3d.pth": "msg3d_3d",
    "msg3d_3d.safetensors": "msg3d_3d",
    "aagcn_3d.pth": "aagcn_3d",
    "stgcn_2d.pth": "stgcn_2d",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder.resolve()
    if not Path(msg3d.__file__).is_relative_to(ROOT):
        raise SystemExit(f"msg3d is imported from {msg3d.__file__}, not from {ROOT}")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    os.chdir(folder)  # configs and checkpoints contain relative paths
    write_annotations()
    write_checkpoints()
    write_exported()
    write_scores()
    shutil.rmtree("work_dirs")
    Path("expected.json").write_text(json.dumps(describe(), indent=1) + "\n")


def rest_pose(layout: str, rng: np.random.Generator) -> np.ndarray:
    """Draw a pose whose bones are 0.1 to 0.3 m long, as [V, 3]."""
    bones = dict(skeleton(layout).bones)
    pose: dict[int, np.ndarray] = {}

    def place(joint: int) -> np.ndarray:
        parent = bones[joint]
        if joint not in pose:
            direction = rng.normal(size=3) * (parent != joint)
            length = rng.uniform(0.1, 0.3) / (np.linalg.norm(direction) or 1)
            start = np.zeros(3) if parent == joint else place(parent)
            pose[joint] = start + length * direction
        return pose[joint]

    return np.stack([place(joint) for joint in range(len(bones))])


def animate(
    pose: np.ndarray, label: int, frames: int, rng: np.random.Generator
) -> np.ndarray:
    """Move joints on smooth curves, those of the class the farthest, as [T, V, 3]."""
    joints = len(pose)
    time = np.arange(frames)[:, None, None] / 30
    frequency = rng.uniform(0.5, 1.5, size=(joints, 3))
    phase = rng.uniform(0, 2 * np.pi, size=(joints, 3))
    is_moving = np.arange(joints) % len(CLASSES) == label
    amplitude = np.where(is_moving, 0.25, 0.05)[:, None]
    return pose + amplitude * np.sin(2 * np.pi * frequency * time + phase)


def make_keypoints(
    layout: str, label: int, persons: int, frames: int, rng: np.random.Generator
) -> np.ndarray:
    """Place persons beside each other, in meters, as float64 [M, T, V, 3].

    With several persons, the last one is absent from the first five frames.
    """
    pose = rest_pose(layout, np.random.default_rng(0))
    keypoint = np.stack(
        [
            animate(pose, label, frames, rng) + [0.8 * person, 0.1, 3.0]
            for person in range(persons)
        ]
    )
    if persons > 1:
        keypoint[-1, :5] = 0
    return keypoint


def write_annotations() -> None:
    rng = np.random.default_rng(1)

    samples = []
    for number in range(6):
        label, frames = number % len(CLASSES), 20 + number
        keypoint = make_keypoints("nturgb+d", label, 1 + number % 2, frames, rng)
        samples.append(
            dict(
                frame_dir=f"S001C001P{number + 1:03d}R001A{label + 1:03d}",
                label=label,
                total_frames=frames,
                keypoint=keypoint.astype(np.float32),
            )
        )
    data = dict(
        split=split_names(samples, slice(3), slice(3, None)),
        annotations=samples,
        meta=dict(classes=CLASSES),
    )
    save_annotations(data, "ntu_3d.pkl")
    pack(load_annotations("ntu_3d.pkl"), "ntu_3d.packed")

    samples = []
    for number in range(6):
        label, frames = number % len(CLASSES), 20 + number
        keypoint = make_keypoints("coco", label, 1 + number % 2, frames, rng)
        is_present = keypoint.any(-1)
        pixels = (300 * keypoint[..., :2] + [500, 350]) * is_present[..., None]
        score = rng.uniform(0.3, 1, size=is_present.shape) * is_present
        samples.append(
            dict(
                frame_dir=f"clip_{number}",
                label=label,
                total_frames=frames,
                img_shape=(720, 1280),
                original_shape=(720, 1280),
                keypoint=pixels.astype(np.float32),
                keypoint_score=score.astype(np.float32),
            )
        )
    # This file has no class names, and its splits overlap.
    data = dict(
        split=split_names(samples, slice(4), slice(3, None)), annotations=samples
    )
    save_annotations(data, "coco_2d.pkl")

    samples = []
    for number in range(3):
        keypoint = make_keypoints("kinect20", number, 1, 20 + number, rng)
        samples.append(
            dict(
                filename=f"videos/clip_{number}.mp4",
                label=number,
                total_frames=20 + number,
                keypoint=keypoint.astype(np.float32),
            )
        )
    save_annotations(samples, "plain_list.pkl")

    samples = []
    for number in range(6):
        keypoint = make_keypoints("smpl24", number % len(CLASSES), 1, 20, rng)
        samples.append(
            dict(
                frame_dir=f"talk_{number}",
                targets=rng.normal(size=2).astype(np.float32),
                person_id=str(number // 2),
                session=f"session_{number % 2}",
                chunk=number,
                total_frames=20,
                keypoint=keypoint.astype(np.float32),
            )
        )
    data = dict(
        split=split_names(samples, slice(4), slice(4, None)),
        annotations=samples,
        meta=dict(targets=["extraversion", "agreeableness"]),
    )
    save_annotations(data, "targets.pkl")
    pack(load_annotations("targets.pkl"), "targets.packed")


def split_names(samples: list[dict], train: slice, val: slice) -> dict:
    names = [sample["frame_dir"] for sample in samples]
    return dict(train=names[train], val=names[val])


def make_config(recipe: Recipe) -> Config:
    """Shrink a shipped config to a training run of seconds."""
    cfg = Config.fromfile(CONFIGS / recipe.base)
    layout = recipe.backbone["graph_cfg"]["layout"]
    cfg.model.backbone = recipe.backbone
    cfg.model.cls_head = dict(
        type="GCNHead",
        num_classes=len(CLASSES),
        in_channels=recipe.in_channels,
        # Large enough for scores that differ between samples.
        init_cfg=dict(type="Normal", layer="Linear", std=0.5),
    )
    cfg.train_dataloader.dataset.times = 8
    for mode in ("train", "val", "test"):
        loader = cfg[f"{mode}_dataloader"]
        loader.update(batch_size=3, num_workers=0, persistent_workers=False)
        dataset = loader.dataset.get("dataset", loader.dataset)
        dataset.ann_file = recipe.annotations
        dataset.split = "train" if mode == "train" else "val"
        for step in dataset.pipeline:
            if "clip_len" in step:
                step.clip_len = 16
            if mode == "test" and "num_clips" in step:
                step.num_clips = 3
            if step.type == "SkeletonFeatures":
                step.layout = layout
        if layout is FIVE_JOINTS:
            convert = dict(type="ConvertLayout", source="nturgb+d", target=layout)
            dataset.pipeline.insert(1, convert)
        cfg.pop(f"{mode}_pipeline")
    # Variables of the base configs.
    for name in ("ann_file", "features", "formatting", "frames"):
        cfg.pop(name)
    for name in ("one_clip", "ten_clips"):
        cfg.pop(name)
    cfg.train_cfg.max_epochs = 1
    cfg.param_scheduler[0].T_max = 1
    cfg.auto_scale_lr.enable = False
    cfg.optim_wrapper.optimizer.lr = 0.02
    cfg.default_hooks.logger.interval = 2
    cfg.randomness = dict(seed=0)
    return cfg


def read_config(name: str) -> Config:
    cfg = Config.fromfile(f"{name}.py")
    cfg.work_dir = f"work_dirs/{name}"
    return cfg


def write_checkpoints() -> None:
    for name, recipe in RECIPES.items():
        make_config(recipe).dump(f"{name}.py")
        Runner.from_cfg(read_config(name)).train()
        shutil.copy(f"work_dirs/{name}/epoch_1.pth", f"{name}.pth")
    rewrite("msg3d_3d.pth", "msg3d_3d.safetensors")


def write_exported() -> None:
    for path, name in EXPORTED.items():
        export(f"{name}.py", f"{name}.pth", path)


def write_scores() -> None:
    """Write the scores of the split `val` in every supported form."""
    shutil.copy(dump_scores("msg3d_3d"), "scores_dump.pkl")
    for out in ("scores_fused.pkl", "scores_fused.npz"):
        command = [sys.executable, ROOT / "tools" / "fuse_scores.py"]
        command += ["scores_dump.pkl", dump_scores("aagcn_3d")]
        command += ["--weights", "2", "1", "--out", out]
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "projects")}
        subprocess.run(command, check=True, env=environment)

    # Dumps of MMAction2's own configs lack `frame_dir`.
    samples = pickle.loads(Path("scores_dump.pkl").read_bytes())
    for sample in samples:
        del sample["frame_dir"]
    write_pickle(samples, "scores_dump_without_ids.pkl")

    scores = read_scores("scores_dump.pkl")
    rows = scores.values.astype(np.float32)
    write_pickle(list(rows), "scores_pyskl.pkl")
    write_pickle(dict(zip(scores.ids, np.log(rows))), "epoch1_test_score.pkl")
    np.savez("scores_without_labels.npz", ids=np.array(scores.ids), scores=rows)
    write_pickle((scores.ids, scores.labels.tolist()), "val_label.pkl")


def dump_scores(name: str) -> str:
    """Test a checkpoint as `mim test ... --dump` does."""
    out = f"work_dirs/{name}.pkl"
    if not Path(out).exists():
        cfg = read_config(name)
        dump = dict(type="DumpResults", out_file_path=out)
        cfg.test_evaluator = [*cfg.test_evaluator, dump]
        cfg.load_from = f"{name}.pth"
        Runner.from_cfg(cfg).test()
    return out


def write_pickle(data, path: str) -> None:
    Path(path).write_bytes(pickle.dumps(data))


def describe() -> dict:
    git = ["git", "-C", str(ROOT), "rev-parse", "HEAD"]
    known = labels_of("ntu_3d.pkl", "val")
    return dict(
        written_by=dict(
            msg3d=msg3d.__version__,
            commit=subprocess.check_output(git, text=True).strip(),
            python=".".join(map(str, sys.version_info[:3])),
            numpy=np.__version__,
            torch=torch.__version__,
            mmengine=mmengine.__version__,
        ),
        annotations={
            f"{name}.pkl": describe_annotations(load_annotations(f"{name}.pkl"))
            for name in ("ntu_3d", "coco_2d", "plain_list", "targets")
        },
        stores={
            f"{name}.packed": describe_annotations(
                load_store(f"{name}.packed").unpack()
            )
            for name in ("ntu_3d", "targets")
        },
        scores={
            **{
                path: describe_scores(path)
                for path in ("scores_dump.pkl", "scores_fused.pkl", "scores_fused.npz")
            },
            **{
                path: dict(describe_scores(path, known), known=known)
                for path in (
                    "scores_dump_without_ids.pkl",
                    "scores_pyskl.pkl",
                    "epoch1_test_score.pkl",
                    "scores_without_labels.npz",
                )
            },
        },
        labels={"val_label.pkl": labels_of("val_label.pkl")},
        configs={f"{name}.py": describe_config(name) for name in RECIPES},
        checkpoints={
            path: describe_checkpoint(path, name) for path, name in CHECKPOINTS.items()
        },
        exported={
            path: describe_recognizer(
                msg3d.Recognizer.from_exported(path, clips=1), RECIPES[name].annotations
            )
            for path, name in EXPORTED.items()
        },
        tests={
            "scores_dump.pkl": dict(config="msg3d_3d.py", checkpoint="msg3d_3d.pth")
        },
    )


def describe_annotations(data: dict | list[dict]) -> dict:
    is_list = isinstance(data, list)
    return dict(
        split=None if is_list else data["split"],
        meta=None if is_list else data.get("meta"),
        samples=[
            {key: describe_field(value) for key, value in sample.items()}
            for sample in (data if is_list else data["annotations"])
        ],
    )


def describe_field(value):
    if not isinstance(value, np.ndarray):
        return value
    digest = hashlib.sha256(value.tobytes()).hexdigest()
    return dict(dtype=str(value.dtype), shape=list(value.shape), sha256=digest)


def describe_scores(path: str, known: dict[str, int] | None = None) -> dict:
    scores = read_scores(path, known)
    return dict(
        ids=scores.ids,
        labels=scores.labels.tolist(),
        probabilities=scores.probabilities,
        scores=rounded(scores.values),
    )


def describe_config(name: str) -> dict:
    state = load_checkpoint(f"{name}.pth")["state_dict"]
    return dict(annotations=RECIPES[name].annotations, state_keys=list(state))


def describe_checkpoint(path: str, name: str) -> dict:
    loaded = load_checkpoint(path)
    recognizer = msg3d.Recognizer(f"{name}.py", path, device="cpu", clips=1)
    return dict(
        config=f"{name}.py",
        entries=sorted(loaded),
        meta=sorted(loaded["meta"]),
        **describe_recognizer(recognizer, RECIPES[name].annotations),
    )


def describe_recognizer(recognizer: msg3d.Recognizer, annotations: str) -> dict:
    samples = load_annotations(annotations)["annotations"]
    predictions = recognizer.predict(samples)
    return dict(
        annotations=annotations,
        classes=list(recognizer.classes),
        scores=rounded(np.stack([prediction.scores for prediction in predictions])),
    )


def load_checkpoint(path: str) -> dict:
    return CheckpointLoader.load_checkpoint(path, map_location="cpu", logger="silent")


def rounded(values: np.ndarray) -> list[list[float]]:
    return [[round(float(value), 6) for value in row] for row in values]


if __name__ == "__main__":
    main()
