"""The folder in which the documents' commands run: that of a user who trained and tested."""

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
    """Write my_config.py and best.pth: `leaf` with few channels, short clips, other classes."""
    cfg = Config.fromfile(CONFIGS / leaf)
    few = {"base_channels": 12, "num_gcn_scales": 3, "num_g3d_scales": 2}
    cfg.model.backbone = backbone or dict(cfg.model.backbone, **few)
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


def write_renamed(source: dict, name: str, path: Path, **splits) -> None:
    """Write the samples of an annotation file, the first one under another name."""
    first, *rest = source["annotations"]
    names = [name, *(sample["frame_dir"] for sample in rest)]
    annotations = [dict(first, frame_dir=name), *rest]
    split = {key: names[part] for key, part in splits.items()}
    path.parent.mkdir(exist_ok=True)
    save_annotations(dict(source, annotations=annotations, split=split), path)


def dump(path: Path, samples: list[dict]) -> None:
    """Write scores as `mim test --dump` does; every fifth sample is misclassified."""
    predicted = [
        sample["label"] ^ (number % 5 == 0) for number, sample in enumerate(samples)
    ]
    scores = [
        {
            "pred_score": np.eye(10, dtype=np.float32)[label],
            "gt_label": sample["label"],
            "frame_dir": sample["frame_dir"],
        }
        for label, sample in zip(predicted, samples, strict=True)
    ]
    path.write_bytes(pickle.dumps(scores))


def fill(folder: Path, actions: dict) -> None:
    """Write a small network, its data, and the files of its training and test.

    Args:
        folder: the empty working folder.
        actions: 40 synthetic samples, as in the quickstart.
    """
    for name in ("configs", "tools"):
        (folder / name).symlink_to(REPOSITORY / name)
    classes, samples = actions["meta"]["classes"], actions["annotations"]
    network(folder, QUICKSTART, classes)
    halves = {"train": slice(20), "val": slice(20, 21)}
    write_renamed(actions, "wave01", folder / "mine.pkl", **halves)
    (folder / "data").mkdir()
    skeleton = folder / "data" / "skeleton"
    few = slice(38, 39)
    name = samples[0]["frame_dir"]
    write_renamed(actions, name, skeleton / "synthetic.pkl", xsub_val=few)
    write(skeleton / "ntu60_3d.pkl", joints=25, persons=2, samples=4)
    np.save(folder / "wave.npy", samples[0]["keypoint"])
    (folder / "INPUT").mkdir()
    np.save(folder / "INPUT" / "a.npy", samples[1]["keypoint"])
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
    for name in ("epoch_1.pth", "best_acc_top1_epoch_5.pth"):
        (quickstart / name).symlink_to(folder / "best.pth")
    (quickstart / "last_checkpoint").write_text(
        str(quickstart / "epoch_1.pth"), encoding="utf-8"
    )
    (folder / "work_dirs" / "gallery").mkdir()
    dump(quickstart / "test.pkl", samples[few])
    streams = ("joint", "bone", "joint_motion", "bone_motion", "fused", "scores")
    mine = load_annotations(folder / "mine.pkl")["annotations"]
    for name in streams:
        dump(folder / f"{name}.pkl", mine)


def flat(folder: Path) -> None:
    """Write 2D poses of 17 joints."""
    file = write(folder / "data" / "mine.pkl", joints=17, channels=2)
    write_renamed(load_annotations(file), "a", file, train=slice(8), val=slice(8, 12))
    run(["msg3d", "pack", str(file), "data/mine.packed"])


def penn(folder: Path) -> None:
    """Write samples of Penn Action."""
    file = write(folder / "a.pkl", joints=13, channels=2, frames=(12, 13))
    write_renamed(load_annotations(file), "0004", folder / "penn_action.pkl")


def archive(folder: Path) -> None:
    """Write a network for two persons with 25 joints."""
    graph = {"layout": "nturgb+d", "mode": "spatial"}
    # Exported in seconds; tests/export exports the other networks.
    backbone = {"type": "ResTCN", "graph_cfg": graph, "base_channels": 12}
    network(folder, NTU, list("abcd"), backbone)
    np.save(folder / "wave.npy", np.random.default_rng(0).normal(size=(1, 9, 25, 3)))


def archives_of_scores(folder: Path) -> None:
    """Write scores as `.npz` files."""
    for name in ("joint", "bone"):
        run(["msg3d", "fuse", f"{name}.pkl", "--output", f"{name}.npz"])


# Document -> function that writes further files, which its text mentions.
EXTRA_FILES = {
    "CONTRIBUTING.md": lambda folder: (folder / "msg3d").mkdir(),
    "docs/check.md": flat,
    "docs/export.md": archive,
    "docs/layouts.md": penn,
    "docs/safety.md": archives_of_scores,
}


def variables(document: str, actions: dict) -> dict:
    """Return the variables that a document's Python uses without defining them."""
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
