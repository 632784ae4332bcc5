"""Study of fine-tuning on NW-UCLA with few samples per class.

Settings are named METHOD/SAMPLES, with 5, 10, or 20 training samples per class, or all:

- scratch: train the network from random weights.
- fine-tuning: start from a network that was trained on MSR-Action3D and the motions of
  Bandai-Namco, which were recorded with a Kinect and with markers.
- probe: as before, with a frozen backbone. Only the classifier is trained.

Settings tune/METHOD/VALUE select the learning rate, with the same number of trials for each
method, 10 samples per class of view 1, and the training samples of view 2 for validation.
`LEARNING_RATES` are the results. The network is that of study `recipe`.
"""

from functools import partial
from pathlib import Path

import numpy as np
from mmengine.config import Config
from tabulate import tabulate

from msg3d.annotations.files import load_annotations, save_annotations

from . import dropout, recipe
from .train import folder, spread, train

SOURCE = recipe.DATA_SETS["nw-ucla"]
METHODS = ("scratch", "fine-tuning", "probe")
COUNTS = ("5", "10", "20", "all")
PASSES = {"all": 20}  # 60 with few samples
PRETRAINING_PASSES = 12
# Trials of each method: learning rate, and its factor for the backbone.
TRIALS = {
    "scratch": ((0.2, 1), (0.1, 1), (0.05, 1), (0.0125, 1), (0.003, 1)),
    "fine-tuning": ((0.2, 1), (0.1, 1), (0.05, 1), (0.0125, 1), (0.1, 0.1)),
    "probe": ((3.2, 1), (0.8, 1), (0.2, 1), (0.05, 1), (0.0125, 1)),
}
# Selected by settings tune/*
LEARNING_RATES = {"scratch": (0.0125, 1), "fine-tuning": (0.1, 1), "probe": (3.2, 1)}

# The 21 joints of Bandai-Namco with the names of layout kinect20, where they correspond
BANDAI = {
    "num_node": 21,
    "center": 0,
    "inward": [
        *((1, 0), (2, 1), (3, 2), (4, 3), (5, 2), (6, 5), (7, 6), (8, 7), (9, 2)),
        *((10, 9), (11, 10), (12, 11), (13, 0), (14, 13), (15, 14), (16, 15)),
        *((17, 0), (18, 17), (19, 18), (20, 19)),
    ],
    "joints": [
        *("hip_center", "spine", "chest", "shoulder_center", "head"),
        *("left_clavicle", "left_shoulder", "left_elbow", "left_wrist"),
        *("right_clavicle", "right_shoulder", "right_elbow", "right_wrist"),
        *("left_hip", "left_knee", "left_ankle", "left_foot"),
        *("right_hip", "right_knee", "right_ankle", "right_foot"),
    ],
}


def settings() -> list[str]:
    """Return all settings."""
    trials = [
        f"tune/{method}/{rate:g}x{factor:g}"
        for method in METHODS
        for rate, factor in TRIALS[method]
    ]
    return [*trials, *(f"{method}/{count}" for count in COUNTS for method in METHODS)]


def run(name: str, seed: int, data: Path, work_dir: Path) -> dict:
    """Train, then test ten clips per sample. Arguments and result: see `dropout.run`."""
    kind, _, value = name.rpartition("/")
    tuning, method = kind.startswith("tune/"), kind.removeprefix("tune/")
    ann_file = work_dir / f"few_{seed}.pkl"
    if not ann_file.exists():
        write_subsets(data / SOURCE.file, seed, ann_file)
    if tuning:
        rate, factor = map(float, value.split("x"))
        cfg = config(ann_file, "tune_train", "tune_val", 60)
    else:
        rate, factor = LEARNING_RATES[method]
        passes = PASSES.get(value, 60)
        cfg = config(ann_file, f"{value}_train", "xview_val", passes)
    cfg.optim_wrapper.optimizer.lr = rate
    if factor != 1:
        cfg.optim_wrapper.paramwise_cfg = {
            "custom_keys": {"backbone": {"lr_mult": factor}}
        }
    if method != "scratch":
        cfg.load_from = str(pretrained(seed, data, work_dir))
    if method == "probe":
        recipe.with_hook(cfg, type="FreezeParametersHook", names=["backbone"])
    return dropout.run_config(cfg, name, seed, work_dir)


def config(ann_file: Path, train_split: str, val_split: str, passes: int) -> Config:
    """Return a config of study `recipe` for other splits."""
    cfg = recipe.config("nw-ucla/base", ann_file)
    for loader in recipe.LOADERS:
        cfg[loader].dataset.split = val_split
    cfg.train_dataloader.dataset.split = train_split
    recipe.set_passes(cfg, passes)
    return cfg


def pretrained(seed: int, data: Path, work_dir: Path) -> Path:
    """Return the weights of a network trained on other data sets; train it if necessary."""
    weights = work_dir / f"pretrained_{seed}.pth"
    if weights.exists():
        return weights
    ann_file = work_dir / f"few_{seed}.pkl"
    cfg = config(ann_file, "all_train", "tune_val", PRETRAINING_PASSES)
    msr = {"ann_file": str(data / "msr_action3d.pkl"), "layout": "kinect20"}
    bandai = {"ann_file": str(data / "bandai_styles.pkl"), "layout": BANDAI}
    cfg.train_dataloader.dataset = {
        "type": "CombinedSkeletonDataset",
        "files": [
            {**msr, "split": "xsub_all_train"},
            {**msr, "split": "xsub_all_val"},
            {**bandai, "split": "seq_train", "missing": "zero"},
        ],
        "layout": "kinect20",
        "pipeline": cfg.train_dataloader.dataset.pipeline,
        "check_leaks": False,  # the test samples of these data sets are not used
    }
    cfg.model.cls_head.num_classes = 27
    train(cfg, "pretraining", seed, work_dir)
    run_folder = folder(work_dir, "pretraining", seed)
    last = (run_folder / "last_checkpoint").read_text(encoding="utf-8")
    Path(last).replace(weights)
    return weights


def write_subsets(ann_file: Path, seed: int, out: Path) -> None:
    """Write an annotation file with random subsets of the training set as splits."""
    data = load_annotations(ann_file)
    label = {v["frame_dir"]: v["label"] for v in data["annotations"]}
    rng = np.random.default_rng(seed)
    names = data["split"][SOURCE.split]
    order = [names[index] for index in rng.permutation(len(names))]

    def first(names: list[str], count: int) -> list[str]:
        """Return the first samples of each class."""
        seen = dict.fromkeys(label.values(), 0)
        kept = []
        for name in names:
            seen[label[name]] += 1
            if seen[label[name]] <= count:
                kept.append(name)
        return kept

    # A smaller subset is part of the larger ones.
    for count in COUNTS[:-1]:
        data["split"][f"{count}_train"] = first(order, int(count))
    data["split"]["all_train"] = names
    view = [name for name in order if not SOURCE.validates(name)]
    data["split"]["tune_train"] = first(view, 10)
    data["split"]["tune_val"] = [name for name in names if SOURCE.validates(name)]
    save_annotations(data, out)


def report(results: list[dict]) -> str:
    """Return Markdown tables of the trials and of the methods."""
    top1: dict[tuple[str, str], list[float]] = {}
    for result in results:
        kind, _, value = result["setting"].rpartition("/")
        top1.setdefault((kind, value), []).append(result["top1"])
    show = partial(_cell, top1)

    def trial(method: str, rate: float, factor: float) -> str:
        backbone = f", backbone {rate * factor:g}" if factor != 1 else ""
        return f"{rate:g}{backbone}: {show(f'tune/{method}', f'{rate:g}x{factor:g}')}"

    trials = [(m, *(trial(m, *values) for values in TRIALS[m])) for m in METHODS]
    rows = [(method, *(show(method, count) for count in COUNTS)) for method in METHODS]
    seeds = max((len(top1.get((m, c), ())) for m in METHODS for c in COUNTS), default=0)
    headers = ("method", *(f"{count} per class" for count in COUNTS[:-1]), "all")
    tables = [
        tabulate(rows, headers, "github", disable_numparse=True),
        f"{seeds} seeds",
        tabulate(trials, ("trials", *"12345"), "github", disable_numparse=True),
    ]
    return "\n\n".join(tables)


def _cell(top1: dict[tuple[str, str], list[float]], kind: str, value: str) -> str:
    return spread(top1[kind, value]) if (kind, value) in top1 else ""
