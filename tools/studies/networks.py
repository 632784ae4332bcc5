"""Study: MS-G3D beside 2s-AGCN, AAGCN, ST-GCN and Res-TCN, on four real data sets.

A setting is DATA SET/NETWORK/STREAM; fused are the streams of one seed.
"""

import os
import time
from pathlib import Path
from typing import Dict, List

import numpy as np

import msg3d  # noqa: F401
from msg3d.apis.flops import count_flops, input_shape
from msg3d.evaluation import labels_of, read_scores
from msg3d.evaluation.fusion import accuracies

from . import network_pictures, network_table
from .network_configs import DATA_SETS, NETWORKS, STREAMS, config
from .network_scores import FUSIONS, parts, scores_file, scores_of
from .train import core_seconds, parameters, train

report = network_table.report
pictures = network_pictures.draw


def settings() -> List[str]:
    """All names; motion streams for MS-G3D on the standard split of NW-UCLA."""
    names = [
        f"{data_set}/{network}/{stream}"
        for data_set in DATA_SETS
        for network in NETWORKS
        for stream in ("joint", "bone")
    ]
    motion = [f"nw-ucla-xview/msg3d/{s}" for s in STREAMS if s.endswith("motion")]
    return names[:2] + motion + names[2:]


def run(name: str, seed: int, data: Path, work_dir: Path, **budget) -> Dict:
    """Trains, then tests ten clips a sample with the weights of the last epoch.

    Args:
        name: of the setting.
        seed: of everything random.
        data: folder of the annotation files.
        work_dir: for logs and scores.
        **budget: another than the small one, see `network_configs.config`.

    Returns:
        The setting and seed; `top1` and `mean_class` (per cent), `unseen` where some
        test samples are in the training set; parameters, FLOPs of a clip, seconds of
        a core that training took, and seconds since the run was last begun.
    """
    began = time.time()
    data_set, network, stream = name.split("/")
    cfg = config(data_set, network, stream, data, **budget)
    scores = scores_file(work_dir, name, seed)
    scores.parent.mkdir(exist_ok=True)
    # Beside the file at first: what is there is whole.
    fresh = scores.with_suffix(f".{os.getpid()}.pkl")
    cfg.test_evaluator = [dict(type="DumpResults", out_file_path=str(fresh))]
    runner = train(cfg, name, seed, work_dir)
    runner.test()
    fresh.replace(scores)
    return dict(
        setting=name,
        seed=seed,
        **figures(data_set, read_scores(str(scores)), data),
        parameters=parameters(runner),
        flops=count_flops(runner.model, (1, *input_shape(cfg)[1:]))["flops"],
        passes=runner.max_epochs,
        train_seconds=core_seconds(runner),
        seconds=round(time.time() - began),
    )


def figures(data_set: str, scores, data: Path) -> Dict:
    """Accuracies in per cent."""
    source = DATA_SETS[data_set]
    found = accuracies(scores.values, scores.labels)
    found = {key: round(found[key], 3) for key in ("top1", "mean_class")}
    if source.unseen:
        unseen = labels_of(str(data / source.file), source.unseen)
        rows = np.array([name in unseen for name in scores.ids])
        right = scores.values.argmax(1) == scores.labels
        found["unseen"] = round(100 * float(right[rows].mean()), 3)
    return found


def derived(results: List[Dict], data: Path, work_dir: Path) -> List[Dict]:
    """Results of fused streams that are not there yet but can be."""
    there = {(result["setting"], result["seed"]) for result in results}
    found = []
    for setting, seed in sorted(there):
        start, stream = setting.rsplit("/", 1)
        if stream != "joint":
            continue
        for fusion in FUSIONS:
            name = f"{start}/{fusion}"
            if (name, seed) not in there and all(
                (part, seed) in there and scores_file(work_dir, part, seed).exists()
                for part in parts(name)
            ):
                fused = scores_of(work_dir, name, seed)
                accuracy = figures(name.split("/")[0], fused, data)
                found.append(dict(setting=name, seed=seed, **accuracy))
    return found
