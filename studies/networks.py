"""Study of networks: MS-G3D, 2s-AGCN, AAGCN, ST-GCN, and Res-TCN on four data sets.

Settings are named DATA-SET/NETWORK/STREAM. Streams of the same seed are fused.
"""

import os
import shutil
import time
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch
from mmengine.config import Config
from mmengine.runner import find_latest_checkpoint

import msg3d  # noqa: F401
from msg3d.apis.flops import count_flops, input_shape
from msg3d.evaluation import labels_of, read_scores
from msg3d.evaluation.calibration import calibration_error
from msg3d.evaluation.fusion import accuracies
from msg3d.io.atomic import whole_file

from .network_configs import (
    DATA_SETS,
    NETWORKS,
    OTHERS,
    SEVERAL,
    STREAMS,
    SUBSETS,
    config,
    small_config,
)
from .network_report import folds as pooled
from .network_report import pictures, report
from .network_scores import FUSIONS, parts, scores_file, scores_of
from .train import core_seconds, parameters, train


def settings() -> list[str]:
    """Return all settings. Only MS-G3D on NW-UCLA xview has motion streams."""
    names = [
        f"{data_set}/{network}/{stream}"
        for data_set in DATA_SETS
        for network in NETWORKS
        for stream in ("joint", "bone")
    ]
    motion = [
        f"nw-ucla-xview/msg3d/{stream}"
        for stream in STREAMS
        if stream.endswith("motion")
    ]
    return names[:2] + motion + names[2:]


def run(
    name: str,
    seed: int,
    data: Path,
    work_dir: Path,
    small: bool = False,
    **budget,
) -> dict:
    """Train, then test ten clips per sample with the weights of the last epoch.

    Args:
        name: name of the setting.
        seed: random seed.
        data: folder of the annotation files.
        work_dir: folder for logs and scores.
        small: use recipe `small`, and keep the weights.
        **budget: changes of the small budget; see `network_configs.config`.

    Returns:
        The setting and seed; `top1` and `mean_class` in percent, and `unseen` if the data
        set has leaks; parameters, FLOPs per clip, number of passes, processor time of the
        training, and seconds since the last start of the run.
    """
    start = time.time()
    data_set, network, stream = name.split("/")
    build = small_config if small else config
    cfg = build(data_set, network, stream, data, **budget)
    scores = scores_file(work_dir, name, seed)
    scores.parent.mkdir(exist_ok=True)
    # The file is renamed when it is complete.
    temporary = scores.with_suffix(f".{os.getpid()}.pkl")
    cfg.test_evaluator = [{"type": "DumpResults", "out_file_path": str(temporary)}]
    runner = train(cfg, name, seed, work_dir)
    runner.test()
    temporary.replace(scores)
    if small:
        leaf = Path(cfg.filename).stem
        save_weights(Path(runner.work_dir), leaf, work_dir / "weights" / scores.stem)
    return dict(
        setting=name,
        seed=seed,
        **figures(data_set, read_scores(str(scores)), data),
        parameters=parameters(runner),
        flops=count_flops(runner.model, (1, *input_shape(cfg)[1:]))["flops"],
        passes=runner.max_epochs * getattr(runner.train_dataloader.dataset, "times", 1),
        train_seconds=core_seconds(runner),
        seconds=round(time.time() - start),
    )


def save_weights(work_dir: Path, leaf: str, out: Path) -> None:
    """Copy the last checkpoint of a run without the optimizer, and the log of the run.

    Args:
        work_dir: work dir of the run.
        leaf: name of the shipped config that the run used.
        out: new folder, of which `tools/ship_weights.py` can ship the checkpoint.
    """
    last = Path(find_latest_checkpoint(str(work_dir)))
    content = torch.load(last, map_location="cpu", weights_only=False)
    kept = {key: content[key] for key in ("meta", "state_dict")}
    cfg = Config.fromstring(kept["meta"]["cfg"], ".py")
    cfg.test_evaluator = cfg.val_evaluator  # instead of writing the scores
    kept["meta"] |= {"cfg": cfg.pretty_text, "experiment_name": leaf}
    for log in work_dir.glob("*/vis_data/scalars.json"):
        copy = out / log.relative_to(work_dir)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(log, copy)
    with whole_file(str(out / last.name), "xb") as file:
        torch.save(kept, file)


def figures(data_set: str, scores, data: Path) -> dict:
    """Return accuracies and the calibration error in percent, and numbers of samples."""
    source = (DATA_SETS | SUBSETS)[data_set]
    accuracy = accuracies(scores.values, scores.labels)
    accuracy = {key: round(accuracy[key], 3) for key in ("top1", "mean_class")}
    error = calibration_error(scores.as_probabilities().values, scores.labels)
    accuracy |= {"samples": len(scores.labels), "ece": round(100 * error, 2)}
    if source.unseen:
        unseen = labels_of(str(data / source.file), source.unseen)
        rows = np.array([name in unseen for name in scores.ids])
        correct = scores.values.argmax(1) == scores.labels
        accuracy["unseen"] = round(100 * float(correct[rows].mean()), 3)
        accuracy["unseen_samples"] = int(rows.sum())
    return accuracy


def derived(results: list[dict], data: Path, work_dir: Path) -> list[dict]:
    """Return the missing results of fused streams whose single streams are complete."""
    complete = {(result["setting"], result["seed"]) for result in results}
    fusions = []
    for setting, seed in sorted(complete):
        prefix, stream = setting.rsplit("/", 1)
        if stream != "joint":
            continue
        for fusion in FUSIONS:
            name = f"{prefix}/{fusion}"
            if (name, seed) not in complete and all(
                (part, seed) in complete and scores_file(work_dir, part, seed).exists()
                for part in parts(name)
            ):
                fused = scores_of(work_dir, name, seed)
                accuracy = figures(name.split("/")[0], fused, data)
                fusions.append(dict(setting=name, seed=seed, **accuracy))
    return fusions


def with_budget(*prefixes: str, **budget) -> SimpleNamespace:
    """Return a part of the study of networks with another budget.

    Args:
        *prefixes: prefixes of the names of its settings.
        **budget: see `network_configs.config`.
    """
    return SimpleNamespace(
        settings=lambda: [name for name in settings() if name.startswith(prefixes)],
        run=partial(run, **budget),
        derived=derived,
        report=report,
        pooled=pooled,
        pictures=pictures,
    )


def small_settings() -> list[str]:
    """Return the settings of recipe `small`, the most important first."""
    first = ["nw-ucla-xview", "penn-action", "msr-action3d-xsub"]
    data_sets = dict.fromkeys([*first, *DATA_SETS, *SUBSETS])
    return [
        f"nw-ucla-xview/msg3d/{SEVERAL}",
        "nw-ucla-xview/msg3d/joint",
        *(f"{data_set}/msg3d/{SEVERAL}" for data_set in list(data_sets)[1:]),
        *(f"nw-ucla-xview/msg3d/{stream}" for stream in list(STREAMS)[1:]),
        *(
            f"{data_set}/{network}/{SEVERAL}"
            for data_set in ("nw-ucla-xview", "penn-action")
            for network in [*NETWORKS, *OTHERS]
            if network != "msg3d"
        ),
    ]


MANY_PASSES = {"channels": 16, "frames": 24, "longer": 10}
BUDGETS = {
    # Recipe `small`: the results in README.md, and the shipped weights
    "networks-small": SimpleNamespace(
        settings=small_settings,
        run=partial(run, small=True),
        derived=derived,
        report=report,
        pooled=pooled,
        pictures=pictures,
    ),
    # All four streams of MS-G3D at half the published width with the full recipe. The
    # training takes 95 minutes per seed on two cores.
    "networks-half": with_budget("nw-ucla-xview/msg3d/", full=True, channels=48),
    # Data sets on which MS-G3D is not the best network in the small budget, which is only
    # 230 steps (16 passes) on SBU and 630 steps (8 passes) on Penn Action.
    "networks-longer": with_budget("sbu-", "penn-action/", longer=4),
    # The augmentation of recipe `strong` requires more passes: ten times the small budget,
    # at a sixth of the published width. `plain` is the same without augmentation.
    "networks-strong": with_budget("nw-ucla-xview/msg3d/", strong=True, **MANY_PASSES),
    "networks-plain": with_budget("nw-ucla-xview/msg3d/", **MANY_PASSES),
    # All networks at the published width with the full recipes, for a GPU.
    "networks-whole": with_budget("", full=True),
    # MS-G3D with as many channels as the others. In the small budget it is the smallest.
    "networks-wider": with_budget("penn-action/msg3d/", channels=16),
}
