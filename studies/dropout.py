"""Study of the position of dropout in MS-G3D's graph convolutions.

Settings are positions of `MSG3D(dropout_position=...)`, and `none`. The recipe is
`strong` on NW-UCLA, with fewer channels, frames, and passes. To choose a position without
the test samples, the network is trained on view 1 of the training set and tested on view 2.
"""

import time
from pathlib import Path

from mmengine.config import Config
from tabulate import tabulate

import msg3d
from msg3d.annotations.files import load_annotations, save_annotations
from msg3d.models.ms_gcn import POSITIONS

from .train import parameters, spread, train

LEAF = "msg3d_1xb16-joint-strong52-325e_nw-ucla-xview-keypoint-3d.py"
CHANNELS, FRAMES = 24, 16
EPOCHS, WARM_UP = 6, 1  # of five passes
TRAIN, VALIDATION = "view1", "view2"


def settings() -> list[str]:
    """Return all settings."""
    return [*POSITIONS, "none"]


def run(name: str, seed: int, data: Path, work_dir: Path) -> dict:
    """Train, then test ten clips per sample with the weights of the last epoch.

    Returns:
        The setting and seed; `top1` in percent; parameters, passes, and seconds since the
        last start of the run.
    """
    return run_config(config(name, views(data, work_dir)), name, seed, work_dir)


def run_config(cfg: Config, name: str, seed: int, work_dir: Path) -> dict:
    """Train and test a config. Arguments and result are those of `run`."""
    start = time.time()
    runner = train(cfg, name, seed, work_dir)
    metrics = runner.test()
    return {
        "setting": name,
        "seed": seed,
        "top1": 100 * float(metrics["acc/top1"]),
        "parameters": parameters(runner),
        "passes": runner.max_epochs
        * getattr(runner.train_dataloader.dataset, "times", 1),
        "seconds": round(time.time() - start),
    }


def views(data: Path, work_dir: Path) -> Path:
    """Return an annotation file with the splits by view, and write it if it is missing."""
    ann_file = work_dir / "views.pkl"
    if not ann_file.exists():
        write_views(data / "nw_ucla.pkl", ann_file)
    return ann_file


def config(name: str, ann_file: Path) -> Config:
    """Return the config of a setting."""
    cfg = Config.fromfile(Path(msg3d.__file__).parent / "configs" / "msg3d" / LEAF)
    backbone = cfg.model.backbone
    backbone.base_channels = CHANNELS
    cfg.model.cls_head.in_channels = 4 * CHANNELS
    if name == "none":
        backbone.gcn_dropout = backbone.g3d_dropout = 0
    else:
        backbone.dropout_position = name
    cfg.train_cfg.max_epochs = EPOCHS
    warm_up, cosine = cfg.param_scheduler
    warm_up.end = cosine.begin = WARM_UP
    cosine.end, cosine.T_max = EPOCHS, EPOCHS - WARM_UP
    training = cfg.train_dataloader.dataset.dataset
    validation = (cfg.val_dataloader.dataset, cfg.test_dataloader.dataset)
    for samples in (training, *validation):
        samples.update(ann_file=str(ann_file), split=VALIDATION)
        for step in samples.pipeline:
            if "clip_len" in step:
                step.clip_len = FRAMES
    training.split = TRAIN
    return cfg


def write_views(ann_file: Path, out: Path) -> None:
    """Add splits with the training samples of view 1 and of view 2."""
    data = load_annotations(ann_file)
    for split, view in ((TRAIN, "v01"), (VALIDATION, "v02")):
        names = data["split"]["xview_train"]
        data["split"][split] = [name for name in names if name.endswith(view)]
    save_annotations(data, out)


def report(results: list[dict], heading: str = "position") -> str:
    """Return means and standard deviations over the seeds as a Markdown table."""
    rows = []
    for name in dict.fromkeys(result["setting"] for result in results):
        runs = [result for result in results if result["setting"] == name]
        rows.append((name, spread([run["top1"] for run in runs]), len(runs)))
    headers = (heading, "top-1", "seeds")
    return tabulate(rows, headers, "github", disable_numparse=True)
