"""Fixture folder for the pages: a user's data, trained network, and results."""

import io
import json
import pickle
from pathlib import Path

import numpy as np
import torch
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.registry import DefaultScope

import msg3d
from conftest import REPOSITORY
from docs_commands import run
from in_process import without_paperwork
from msg3d.datasets import load_annotations, save_annotations
from samples import write
from weights import rebuild_weights

CONFIGS = Path(msg3d.__file__).parent / "configs" / "msg3d"
QUICKSTART = "msg3d-24c_1xb16-joint-u32-20e_synthetic-xsub-keypoint-3d.py"
NTU = "msg3d_8xb16-joint-u100-80e_ntu60-xsub-keypoint-3d.py"


def network(folder: Path, leaf: str, classes: list[str], backbone=None) -> None:
    """Write my_config.py and best.pth: `leaf` with few channels and short clips."""
    cfg = Config.fromfile(CONFIGS / leaf)
    small = {"base_channels": 12, "num_gcn_scales": 3, "num_g3d_scales": 2}
    cfg.model.backbone = backbone or dict(cfg.model.backbone, **small)
    cfg.model.cls_head.update(in_channels=48, num_classes=len(classes))
    for step in cfg.test_dataloader.dataset.pipeline:
        if "num_clips" in step:
            step.update(num_clips=2, clip_len=16)
    with DefaultScope.overwrite_default_scope("mmaction"):
        model = MODELS.build(cfg.model)
    rebuild_weights(model, torch.float32)
    with without_paperwork():
        meta = {"cfg": cfg.pretty_text, "dataset_meta": {"classes": classes}}
    torch.save({"state_dict": model.state_dict(), "meta": meta}, folder / "best.pth")
    cfg.dump(folder / "my_config.py")


def save_renamed(source: dict, name: str, path: Path, **splits) -> None:
    """Save annotations with another name for the first sample."""
    first, *rest = source["annotations"]
    names = [name, *(sample["frame_dir"] for sample in rest)]
    annotations = [dict(first, frame_dir=name), *rest]
    split = {key: names[part] for key, part in splits.items()}
    path.parent.mkdir(exist_ok=True)
    save_annotations(dict(source, annotations=annotations, split=split), path)


def dump(path: Path, samples: list[dict]) -> None:
    """Write a dump of `mim test --dump`, with every fifth sample misclassified."""
    labels = [
        sample["label"] ^ (number % 5 == 0) for number, sample in enumerate(samples)
    ]
    scores = [
        {
            "pred_score": np.eye(10, dtype=np.float32)[label],
            "gt_label": sample["label"],
            "frame_dir": sample["frame_dir"],
        }
        for label, sample in zip(labels, samples, strict=True)
    ]
    path.write_bytes(pickle.dumps(scores))


def fill(folder: Path, actions: dict) -> None:
    """Write a small network, its data, and the results of training and testing.

    Args:
        folder: an empty folder, which will be the working folder.
        actions: annotations like those of the quickstart, 80 samples.
    """
    for name in ("configs", "tools"):
        (folder / name).symlink_to(REPOSITORY / name)
    classes, samples = actions["meta"]["classes"], actions["annotations"]
    network(folder, QUICKSTART, classes)
    splits = {"train": slice(20), "val": slice(20, 21)}
    save_renamed(actions, "wave01", folder / "mine.pkl", **splits)
    (folder / "data").mkdir()
    skeleton = folder / "data" / "skeleton"
    tested = slice(38, 39)
    name = samples[0]["frame_dir"]
    save_renamed(actions, name, skeleton / "synthetic.pkl", xsub_val=tested)
    write(skeleton / "ntu60_3d.pkl", joints=25, persons=2, samples=4)
    np.save(folder / "wave.npy", samples[0]["keypoint"])
    (folder / "INPUT").mkdir()
    np.save(folder / "INPUT" / "a.npy", samples[1]["keypoint"])
    (folder / "recordings").symlink_to(folder / "INPUT")
    log = folder / "work_dirs" / "quickstart" / "20260101" / "vis_data"
    log.mkdir(parents=True)
    lines = [
        {"lr": 0.1, "loss": 2.0, "epoch": 1, "iter": 4, "step": 4},
        {"acc/top1": 0.5},
    ]
    lines[1]["step"] = 1
    (log / "scalars.json").write_text(
        "\n".join(map(json.dumps, lines)), encoding="utf-8"
    )
    quickstart = log.parent.parent
    for name in ("seed0", "seed1", "explain"):
        (quickstart.parent / name).symlink_to(quickstart)
    (quickstart / QUICKSTART).symlink_to(folder / "my_config.py")
    for name in ("epoch_1.pth", "epoch_10.pth", "best_acc_top1_epoch_5.pth"):
        (quickstart / name).symlink_to(folder / "best.pth")
    (quickstart / "last_checkpoint").write_text(
        str(quickstart / "epoch_1.pth"), encoding="utf-8"
    )
    (folder / "work_dirs" / "gallery").mkdir()
    dump(quickstart / "test.pkl", samples[tested])
    streams = ("joint", "bone", "joint_motion", "bone_motion")
    mine = load_annotations(folder / "mine.pkl")["annotations"]
    for name in (*streams, "fused", "scores", "other", "val"):
        dump(folder / f"{name}.pkl", mine)


def poses_2d(folder: Path) -> None:
    """Write 2D poses of 17 joints."""
    file = write(folder / "data" / "mine.pkl", joints=17, channels=2)
    save_renamed(load_annotations(file), "a", file, train=slice(8), val=slice(8, 12))
    run(["msg3d", "pack", str(file), "data/mine.packed"])


def penn_action(folder: Path) -> None:
    """Write annotations of Penn Action's joints."""
    file = write(folder / "a.pkl", joints=13, channels=2, frames=(12, 13))
    save_renamed(load_annotations(file), "0004", folder / "penn_action.pkl")


def exportable_network(folder: Path) -> None:
    """Write a network of two persons and 25 joints."""
    graph = {"layout": "nturgb+d", "mode": "spatial"}
    # Exported in seconds; tests/export exports the other networks.
    backbone = {"type": "ResTCN", "graph_cfg": graph, "base_channels": 12}
    network(folder, NTU, list("abcd"), backbone)
    np.save(folder / "wave.npy", np.random.default_rng(0).normal(size=(1, 9, 25, 3)))


def npz_scores(folder: Path) -> None:
    """Write scores as .npz."""
    for name in ("joint", "bone"):
        run(["msg3d", "fuse", f"{name}.pkl", "--output", f"{name}.npz"])


# Functions that write additional files for a page.
EXTRA_FILES = {
    "CONTRIBUTING.md": lambda folder: (folder / "msg3d").mkdir(),
    "docs/check.md": poses_2d,
    "docs/export.md": exportable_network,
    "docs/layouts.md": penn_action,
    "docs/safety.md": npz_scores,
}


def page_variables(document: str, actions: dict) -> dict:
    """Return the variables that the Python code of a page uses without defining them."""
    sample = actions["annotations"][0]
    joints = {"keypoint": sample["keypoint"]}
    if document == "docs/export.md":
        joints = {"keypoint": np.load("wave.npy")}
    if document == "docs/layouts.md":
        joints = {"keypoint": np.ones((1, 4, 25, 3)), "score": np.ones((1, 4, 17))}
    return dict(
        joints,
        array=sample["keypoint"],
        sample=sample,
        samples=actions["annotations"],
        classes=actions["meta"]["classes"],
        train_names=[sample["frame_dir"]],
        val_names=[actions["annotations"][1]["frame_dir"]],
        results=[],
        file=io.StringIO(),
        json=json,
    )
