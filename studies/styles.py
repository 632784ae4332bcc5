"""Study of Laban's Efforts as input features in addition to coordinates.

MS-G3D and ST-GCN classify Bandai-Namco styles. The test actions are not in the training set.
"""

import time
from pathlib import Path

import numpy as np
from mmengine.config import Config
from tabulate import tabulate

import msg3d
from msg3d.annotations.files import load_annotations, save_annotations
from msg3d.errors import DataError
from msg3d.preprocessing.laban import EFFORTS

from .train import parameters, spread, train

FILE = "bandai_styles.pkl"
CONFIGS = Path(msg3d.__file__).parent / "configs" / "personality"
# These recordings have no ratings. The targets of the regression are derived from the names
# of the styles, to compare regression and classification on the same data.
SCORES = ("energy", "age", "femininity")
SCORES_OF_STYLE = {
    "active": (1, 0, 0),
    "elderly": (-1, 1, 0),
    "exhausted": (-1, 0, 0),
    "feminine": (0, 0, 1),
    "masculine": (0, 0, -1),
    "normal": (0, 0, 0),
    "youthful": (1, -1, 0),
}
NAME = "{}_1xb16-laban-d24-4e_bandai-styles-xcontent-keypoint-3d.py"


def settings() -> dict[str, dict]:
    """Return the changes of the config: options of LabanEffort, model, and task.

    Returns:
        name -> `dict(laban=options, model=..., scores=...)`. The task is a regression of
        the scores in SCORES_OF_STYLE if `scores`, otherwise a classification of styles.
    """
    published = {"variant": "published", "fps": 1}
    laban_only = {"coordinates": False}
    inputs = {
        "xyz": {"efforts": []},
        "xyz+laban": {},
        "laban": laban_only,
        "xyz+laban-published": published,
        "laban-published": dict(published, **laban_only),
        # Time as in the published code, which differs from the paper.
        "laban-published-joint": dict(published, **laban_only, time="joint"),
    }
    for effort in EFFORTS:
        inputs[f"xyz+{effort}"] = {"efforts": [effort]}
    # The published Weight, without Time and Flow.
    inputs["xyz+space-twice"] = dict(published, efforts=["space", "weight"])
    for effort in EFFORTS:
        others = [other for other in EFFORTS if other != effort]
        inputs[f"xyz+laban-without-{effort}"] = {"efforts": others}
    table = {
        name: {"laban": options, "model": "msg3d-12c", "scores": False}
        for name, options in inputs.items()
    }
    stgcn = ("xyz", "xyz+laban", "xyz+laban-without-weight", "xyz+laban-published")
    for name in stgcn:
        table[f"stgcn-{name}"] = dict(table[name], model="stgcn-16c")
    for name in ("xyz", "xyz+laban", "laban", "xyz+laban-published"):
        table[f"scores-{name}"] = dict(table[name], scores=True)
    return table


def run(name: str, seed: int, data: Path, work_dir: Path) -> dict:
    """Train, then test the weights of the last epoch.

    Returns:
        The setting and seed; `top1` as a fraction, or the mean squared errors of each
        score and of all scores; parameters, epochs, and seconds.
    """
    start = time.time()
    runner = train(config(name, data / FILE, work_dir), name, seed, work_dir)
    metrics = runner.val()
    if settings()[name]["scores"]:
        figures = {key: metrics[f"mse/{key}"] for key in (*SCORES, "mean")}
    else:
        figures = {"top1": float(metrics["acc/top1"])}
    return dict(
        setting=name,
        seed=seed,
        **figures,
        parameters=parameters(runner),
        epochs=runner.max_epochs,
        seconds=round(time.time() - start),
    )


def config(name: str, ann_file: Path, work_dir: Path) -> Config:
    """Return the config of a setting."""
    setting = settings()[name]
    cfg = Config.fromfile(CONFIGS / NAME.format(setting["model"]))
    if setting["scores"]:
        ann_file = _regress(cfg, ann_file, work_dir)
    for dataset in (cfg.train_dataloader.dataset.dataset, cfg.val_dataloader.dataset):
        dataset.ann_file = str(ann_file)
        (laban,) = (step for step in dataset.pipeline if step["type"] == "LabanEffort")
        laban.update(setting["laban"])
    groups = len(laban.get("efforts", EFFORTS)) + laban.get("coordinates", True)
    cfg.model.backbone.in_channels = 3 * groups
    return cfg


def report(results: list[dict]) -> str:
    """Return means and standard deviations over the seeds as Markdown tables.

    Args:
        results: results of `run`, in any order.
    """
    tables = []
    for keys, titles, factor, digits in (
        (("top1",), ("top-1 %",), 100, 1),
        ((*SCORES, "mean"), (*(f"MSE {key}" for key in SCORES), "mean"), 1, 3),
    ):
        rows = []
        for name in dict.fromkeys(result["setting"] for result in results):
            runs = [r for r in results if r["setting"] == name and keys[0] in r]
            if runs:
                cells = [spread([factor * r[k] for r in runs], digits) for k in keys]
                rows.append((name, runs[0]["parameters"], *cells, len(runs)))
        if rows:
            headers = ("setting", "parameters", *titles, "seeds")
            tables.append(tabulate(rows, headers, "github", disable_numparse=True))
    return "\n\n".join(tables)


def _regress(cfg: Config, ann_file: str, work_dir: Path) -> Path:
    """Change a config to the regression of scores; return the annotation file."""
    scored = work_dir / "scored.pkl"
    if not scored.exists():
        write_scored(ann_file, scored)
    mean, std = mean_and_std(scored, cfg.train_dataloader.dataset.dataset.split)
    cfg.model.cls_head = {
        "type": "TraitHead",
        "num_targets": len(SCORES),
        "in_channels": cfg.model.cls_head.in_channels,
        "target_mean": mean.tolist(),
        "target_std": std.tolist(),
    }
    for dataset in (cfg.train_dataloader.dataset.dataset, cfg.val_dataloader.dataset):
        dataset.pipeline[-1] = {"type": "PackTargetInputs"}
    # The regression diverges at the learning rate of the classification.
    cfg.optim_wrapper.optimizer.lr = 0.01
    cfg.val_evaluator = {"type": "PersonTraitMetric", "traits": SCORES, "by": "samples"}
    return scored


def write_scored(ann_file: str, out: str) -> None:
    """Add `targets` (float32 [3], SCORES) to all samples of an annotation file.

    Raises:
        DataError: the classes are not the styles (kind "label").
    """
    data = load_annotations(ann_file)
    classes = data.get("meta", {}).get("classes", [])
    if set(classes) != set(SCORES_OF_STYLE):
        raise DataError(
            f"the classes are {list(classes)}, expected the Bandai-Namco styles "
            f"{list(SCORES_OF_STYLE)}",
            kind="label",
            file=str(ann_file),
            field="meta['classes']",
        )
    for sample in data["annotations"]:
        scores = SCORES_OF_STYLE[classes[sample["label"]]]
        sample["targets"] = np.array(scores, dtype=np.float32)
    save_annotations(data, out)


def mean_and_std(ann_file: str, split: str) -> tuple:
    """Return mean and standard deviation of the scores over a split, each [3]."""
    data = load_annotations(ann_file)
    names = set(data["split"][split])
    targets = [s["targets"] for s in data["annotations"] if s["frame_dir"] in names]
    return np.mean(targets, axis=0), np.std(targets, axis=0)
