"""Study of the recipe for small data sets: what each part changes, on training data only.

Settings are named DATA-SET/CHANGE. Changes are applied to `base`: recipe `strong` with 24
channels and without dropout in the graph convolutions, which lost accuracy in study
`dropout`. Changes named `small+CHANGE` are applied to recipe `small`, which was chosen by
this study. Frames and passes are fewer than in the recipes, and the same for all changes.

Each training set is divided into a part for training and a part for validation by view,
subject, or name. Samples of the test splits are not used. SBU is not part of the study,
since each of its samples is a test sample of a fold. Networks are trained in bfloat16 if
the CPU has instructions for it, and in float32 otherwise.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from zlib import crc32

from mmengine.config import Config, ConfigDict
from tabulate import tabulate

from benchmarks.networks import emulated
from msg3d.annotations.files import load_annotations, save_annotations

from . import dropout
from .network_configs import CONFIGS
from .train import spread

CHANNELS, BATCH = 24, 16
TRAIN, VALIDATION = "recipe_train", "recipe_validation"
SMALL = "small"


@dataclass(frozen=True)
class DataSet:
    """A training set that is divided for the study.

    Args:
        title: title in tables.
        file: annotation file.
        leaf: config of recipe `strong`.
        small: config of recipe `small`.
        split: training split to divide.
        validates: whether a sample of this name is for validation.
        frames: frames per clip.
        passes: number of passes over the part for training.
    """

    title: str
    file: str
    leaf: str
    small: str
    split: str
    validates: Callable[[str], bool]
    frames: int
    passes: int


DATA_SETS = {
    "nw-ucla": DataSet(
        "NW-UCLA, view 1 to view 2",
        "nw_ucla.pkl",
        "strong52-325e_nw-ucla-xview-keypoint-3d",
        "small24-100e_nw-ucla-xview-keypoint-3d",
        "xview_train",
        lambda name: name.endswith("v02"),
        24,
        30,
    ),
    "msr-action3d": DataSet(
        "MSR-Action3D, subjects 1, 3, 5 to 7, 9",
        "msr_action3d.pkl",
        "strong48-325e_msr-action3d-xsub-keypoint-3d",
        "small24-100e_msr-action3d-xsub-keypoint-3d",
        "xsub_train",
        lambda name: name[4:7] in ("s07", "s09"),
        24,
        60,
    ),
    "penn-action": DataSet(
        "Penn Action, a fifth of the training set",
        "penn_action.pkl",
        "strong64-325e_penn-action-keypoint-2d",
        "small24-100e_penn-action-keypoint-2d",
        "train",
        lambda name: crc32(name.encode()) % 5 == 0,
        24,
        16,
    ),
}
LOADERS = ("train_dataloader", "val_dataloader", "test_dataloader")


def settings() -> list[str]:
    """Return all settings."""
    return [
        f"{data_set}/{change}"
        for change in [*BASE, SMALL, *(f"{SMALL}+{change}" for change in OF_SMALL)]
        for data_set in DATA_SETS
        if data_set in ONLY.get(change.removeprefix(f"{SMALL}+"), DATA_SETS)
    ]


def run(name: str, seed: int, data: Path, work_dir: Path) -> dict:
    """Train, then test ten clips per sample. Arguments and result: see `dropout.run`."""
    data_set, _ = name.split("/")
    source = DATA_SETS[data_set]
    ann_file = work_dir / source.file
    if not ann_file.exists():
        divide(source, data / source.file, ann_file)
    return dropout.run_config(config(name, ann_file), name, seed, work_dir)


def divide(source: DataSet, ann_file: Path, out: Path) -> None:
    """Write an annotation file with the two parts of a training set as splits."""
    data = load_annotations(ann_file)
    names = data["split"][source.split]
    data["split"] = {
        TRAIN: [name for name in names if not source.validates(name)],
        VALIDATION: [name for name in names if source.validates(name)],
    }
    kept = set(names)
    data["annotations"] = [v for v in data["annotations"] if v["frame_dir"] in kept]
    save_annotations(data, out)


def config(name: str, ann_file: Path) -> Config:
    """Return the config of a setting."""
    data_set, change = name.split("/")
    source = DATA_SETS[data_set]
    small = change.split("+")[0] == SMALL
    leaf = f"msg3d-24c_1xb16-streams-{source.small}" if small else None
    leaf = leaf or f"msg3d_1xb16-joint-{source.leaf}"
    cfg = Config.fromfile(CONFIGS / "msg3d" / f"{leaf}.py")
    if not small:
        cfg.model.backbone.update(gcn_dropout=0, g3d_dropout=0)
        set_channels(cfg, CHANNELS)
    # Use one pass per epoch instead of five.
    cfg.train_dataloader.dataset = cfg.train_dataloader.dataset.dataset
    cfg.train_dataloader.batch_size = BATCH
    cfg.test_dataloader.batch_size = 8  # ten clips each
    for loader in LOADERS:
        cfg[loader].dataset.update(ann_file=str(ann_file), split=VALIDATION)
    cfg.train_dataloader.dataset.split = TRAIN
    for step in steps(cfg, "ResampleFrames"):
        step.clip_len = source.frames
    if not emulated("bfloat16", "cpu"):
        cfg.optim_wrapper.update(type="AmpOptimWrapper", dtype="bfloat16")
    set_passes(cfg, source.passes)
    for part in change.split("+")[small:]:
        CHANGES[part](cfg)
    return cfg


def set_passes(cfg: Config, passes: int) -> None:
    """Set the number of passes. The learning rate rises in a twelfth of them."""
    warm_up, cosine = cfg.param_scheduler
    cfg.train_cfg.max_epochs = cosine.end = passes
    warm_up.end = cosine.begin = max(1, round(passes / 12))
    cosine.T_max = passes - cosine.begin


def set_channels(cfg: Config, channels: int) -> None:
    """Set the channels of the first stage. The last stage has four times as many."""
    cfg.model.backbone.base_channels = channels
    cfg.model.cls_head.in_channels = 4 * channels


def steps(cfg: Config, kind: str) -> list[dict]:
    """Return the steps of a type in all pipelines."""
    pipelines = [cfg[loader].dataset.pipeline for loader in LOADERS]
    return [step for steps in pipelines for step in steps if step.type == kind]


def without(cfg: Config, kind: str) -> None:
    """Remove the steps of a type from the training pipeline."""
    samples = cfg.train_dataloader.dataset
    samples.pipeline = [step for step in samples.pipeline if step.type != kind]


def without_rotation(cfg: Config) -> None:
    """Remove rotation and scaling, or the simulated motion of the camera in 2D."""
    for kind in ("RandomRotate3D", "RandomScale3D", "RandomMove2D"):
        without(cfg, kind)


def with_unit_scale(cfg: Config) -> None:
    """Scale each sequence to -1..1 along each axis before clips are cut."""
    for loader in LOADERS:
        pipeline = cfg[loader].dataset.pipeline
        clip = next(i for i, v in enumerate(pipeline) if v.type == "ResampleFrames")
        pipeline.insert(clip, ConfigDict(type="ScaleToUnit"))


def with_streams(cfg: Config, names: list[str]) -> None:
    """Use several streams as the input channels of one network."""
    backbone = cfg.model.backbone
    for step in steps(cfg, "SkeletonFeatures"):
        before = len(step.get("feats", "j"))
        step.feats = names
    channels = backbone.get("in_channels", 3) // before
    backbone.in_channels = len(names) * channels


def with_hook(cfg: Config, **hook: Any) -> None:
    """Add a hook."""
    cfg.custom_hooks = [*cfg.custom_hooks, hook]


def with_mixing(cfg: Config, alpha: float) -> None:
    """Mix the clips of a batch in pairs (mixup)."""
    classes = cfg.model.cls_head.num_classes
    blending = {"type": "MixupBlending", "num_classes": classes, "alpha": alpha}
    cfg.model.data_preprocessor = {
        "type": "ActionDataPreprocessor",
        "blending": blending,
    }


def set_in(section: Callable[[Config], dict], **values: Any) -> Callable:
    """Return a change that sets values in a section of the config."""
    return lambda cfg: section(cfg).update(values)


def _backbone(cfg: Config) -> dict:
    return cfg.model.backbone


def _head(cfg: Config) -> dict:
    return cfg.model.cls_head


def _optimizer(cfg: Config) -> dict:
    return cfg.optim_wrapper.optimizer


def _set_crop(cfg: Config, crop: float) -> None:
    for step in steps(cfg, "ResampleFrames"):
        step.crop = crop


def set_rotation(cfg: Config, degrees: int) -> None:
    """Set the maximum rotation about the vertical axis, and half of it about the others."""
    for step in cfg.train_dataloader.dataset.pipeline:
        if step.type == "RandomRotate3D":
            step.degrees = (min(degrees, 20) / 2, min(degrees, 20) / 2, degrees)


def with_sgd(cfg: Config) -> None:
    """Use the optimizer of recipe `strong`."""
    wrapper = cfg.optim_wrapper
    wrapper.optimizer = {"type": "SGD", "lr": 0.05, "momentum": 0.9, "nesterov": True}
    wrapper.optimizer["weight_decay"] = 0.0005
    del wrapper.paramwise_cfg


def set_frames(cfg: Config, frames: int) -> None:
    """Set the number of frames per clip."""
    for step in steps(cfg, "ResampleFrames"):
        step.clip_len = frames


def longer(cfg: Config, factor: int) -> None:
    """Multiply the number of passes."""
    set_passes(cfg, factor * cfg.train_cfg.max_epochs)


CHANGES: dict[str, Callable[[Config], object]] = {
    "base": lambda cfg: None,
    "no-mirror": partial(without, kind="MirrorBody"),
    "no-rotation": without_rotation,
    "no-joint-dropout": partial(without, kind="JointDropout"),
    "crop-0.5": partial(_set_crop, crop=0.5),
    "crop-0.9": partial(_set_crop, crop=0.9),
    "no-smoothing": set_in(_head, label_smooth_eps=0),
    "no-block-dropout": set_in(_backbone, tcn_dropout=0),
    "average": partial(with_hook, type="EMAHook", momentum=0.02, update_buffers=True),
    "mixing": partial(with_mixing, alpha=0.2),
    "sgd": with_sgd,
    "learning-rate-0.001": set_in(_optimizer, lr=0.001),
    "learning-rate-0.002": set_in(_optimizer, lr=0.002),
    "learning-rate-0.008": set_in(_optimizer, lr=0.008),
    "rotation-45": partial(set_rotation, degrees=45),
    "rotation-180": partial(set_rotation, degrees=180),
    "scaled": with_unit_scale,
    "joint": partial(with_streams, names=["j"]),
    "four-streams": partial(with_streams, names=["j", "b", "jm", "bm"]),
    "channels-16": partial(set_channels, channels=16),
    "channels-40": partial(set_channels, channels=40),
    "frames-32": partial(set_frames, frames=32),
    "longer": partial(longer, factor=4),
}
BASE = (
    "base",
    "no-mirror",
    "no-rotation",
    "no-joint-dropout",
    "crop-0.9",
    "no-smoothing",
)
OF_SMALL = tuple(change for change in CHANGES if change != "base")
# Changes that apply to some data sets only
ONLY = {
    "no-mirror": ("nw-ucla", "penn-action"),
    "no-rotation": ("nw-ucla", "msr-action3d", "penn-action"),
    "crop-0.5": ("penn-action",),
    "rotation-45": ("nw-ucla", "msr-action3d"),
    "rotation-180": ("nw-ucla",),
    "longer": ("nw-ucla",),
}


def report(results: list[dict]) -> str:
    """Return a Markdown table of means and standard deviations over the seeds."""
    top1: dict[tuple[str, str], list[float]] = {}
    for result in results:
        data_set, change = result["setting"].split("/")
        top1.setdefault((change, data_set), []).append(result["top1"])
    rows = []
    for change in dict.fromkeys(change for change, _ in top1):
        cells = [top1.get((change, data_set), []) for data_set in DATA_SETS]
        means = [sum(cell) / len(cell) for cell in cells if cell]
        mean = f"{sum(means) / len(means):.1f}" if len(means) == len(cells) else ""
        seeds = max(map(len, cells))
        rows.append((change, *(spread(c) if c else "" for c in cells), mean, seeds))
    titles = [source.title for source in DATA_SETS.values()]
    headers = ("change", *titles, "mean", "seeds")
    return tabulate(rows, headers, "github", disable_numparse=True)
