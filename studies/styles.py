"""Study of Laban's Efforts as input features in addition to coordinates.

MS-G3D and ST-GCN classify Bandai-Namco styles. The test actions are not in the training set.
Baselines are linear models of the mean and standard deviation of each feature over the
frames of a clip, and constant predictions: the most frequent style, or the mean score. The
penalty of a linear model is chosen on training samples by leaving out one action at a time.
"""

import time
from pathlib import Path

import numpy as np
import torch
from mmaction.registry import DATASETS
from mmengine.config import Config
from mmengine.registry import init_default_scope
from tabulate import tabulate

import msg3d
from msg3d.annotations.files import load_annotations, save_annotations
from msg3d.errors import DataError
from msg3d.preprocessing.laban import EFFORTS

from .linear import choose_penalty, logistic, predict, ridge
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
        Baselines have `statistics`, the features of a linear model. A constant has none.
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
    for prefix, constant, scores in (
        ("", "majority", False),
        ("scores-", "mean", True),
    ):
        changes: dict = {"scores": scores, "statistics": ()}
        table[prefix + constant] = dict(table["xyz"], **changes)
        for statistics in ("mean", "mean+std"):
            changes["statistics"] = tuple(statistics.split("+"))
            for name in ("xyz", "laban", "xyz+laban"):
                linear = dict(table[name], **changes)
                table[f"{prefix}linear-{statistics}-{name}"] = linear
    return table


def deterministic() -> set[str]:
    """Return the settings that do not depend on the seed."""
    return {name for name, setting in settings().items() if "statistics" in setting}


def run(name: str, seed: int, data: Path, work_dir: Path) -> dict:
    """Train, then test the weights of the last epoch.

    Returns:
        The setting and seed; `top1` in percent, or the mean squared errors of each score
        and of all scores; parameters, epochs, and seconds. Linear models have a `penalty`
        instead of epochs.
    """
    start = time.time()
    if name in deterministic():
        result = baseline(name, data / FILE, work_dir)
        return dict(result, seed=seed, seconds=round(time.time() - start))
    runner = train(config(name, data / FILE, work_dir), name, seed, work_dir)
    metrics = runner.val()
    if settings()[name]["scores"]:
        figures = {key: metrics[f"mse/{key}"] for key in (*SCORES, "mean")}
    else:
        figures = {"top1": 100 * float(metrics["acc/top1"])}
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


def baseline(name: str, ann_file: Path, work_dir: Path) -> dict:
    """Fit and test a linear model or a constant. For the result, see `run`."""
    setting = settings()[name]
    cfg = config(name, ann_file, work_dir)
    training = cfg.train_dataloader.dataset.dataset.split
    inputs, targets, actions = _statistics(cfg, training, setting)
    queries, truth, _ = _statistics(cfg, cfg.val_dataloader.dataset.split, setting)
    fit, error = (ridge, _squared) if setting["scores"] else (logistic, _wrong)
    result: dict = {"setting": name, "parameters": targets.shape[1]}
    penalty = 0.0
    if setting["statistics"]:
        penalty = choose_penalty(fit, error, inputs, targets, actions)
        result["parameters"] *= inputs.shape[1] + 1
        result["penalty"] = penalty
    scores = predict(fit, inputs, targets, queries, penalty)
    if not setting["scores"]:
        return result | {"top1": 100 - 100 * _wrong(scores, truth)}
    errors = (scores - truth).square().mean(0).tolist()
    figures = dict(zip(SCORES, errors, strict=True))
    return result | figures | {"mean": sum(errors) / len(errors)}


def _statistics(
    cfg: Config, split: str, setting: dict
) -> tuple[torch.Tensor, torch.Tensor, list[str]]:
    """Return the features, targets, and actions of the samples of a split.

    Features are statistics over the frames of the clip in the middle of each sample, which
    is what networks are tested with. Targets are scores, or one-hot styles.
    """
    init_default_scope("mmaction")
    source = cfg.val_dataloader.dataset.to_dict()
    source.update(split=split, pipeline=source["pipeline"][:-1])
    dataset = DATASETS.build(source)
    features, targets, actions = [], [], []
    for sample in map(dataset.__getitem__, range(len(dataset))):
        keypoint = sample["keypoint"].astype(np.float64)[0, 0]  # (T, V, C)
        values = [getattr(keypoint, name)(axis=0) for name in setting["statistics"]]
        features.append(np.ravel(values))
        styles = np.eye(len(SCORES_OF_STYLE))
        targets.append(
            sample["targets"] if setting["scores"] else styles[sample["label"]]
        )
        actions.append(sample["content"])
    inputs, outputs = np.array(features), np.array(targets, dtype=np.float64)
    return torch.from_numpy(inputs), torch.from_numpy(outputs), actions


def _wrong(scores: torch.Tensor, truth: torch.Tensor) -> float:
    return float((scores.argmax(1) != truth.argmax(1)).double().mean())


def _squared(scores: torch.Tensor, truth: torch.Tensor) -> float:
    return float((scores - truth).square().mean())


def report(results: list[dict]) -> str:
    """Return means and standard deviations over the seeds as Markdown tables.

    Args:
        results: results of `run`, in any order.
    """
    tables = []
    for keys, titles, digits in (
        (("top1",), ("top-1 %",), 1),
        ((*SCORES, "mean"), (*(f"MSE {key}" for key in SCORES), "mean"), 3),
    ):
        rows = []
        for name in dict.fromkeys(result["setting"] for result in results):
            runs = [r for r in results if r["setting"] == name and keys[0] in r]
            if runs:
                cells = [spread([r[k] for r in runs], digits) for k in keys]
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
