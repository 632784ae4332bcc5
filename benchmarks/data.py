"""Time the NTU RGB+D pipelines with msg3d's and with MMAction2's transforms.

Times are per sample, for one worker with one thread, from reading to the collated batch. In
the rows `MMAction2`, PreNormalize3D and UniformSampleFrames replace our transforms, which
return the same arrays. A test sample has 10 clips. `workers` is the number of workers that
2,000 clips per second require.
"""

import tempfile
from pathlib import Path

import numpy as np
import torch
from mmaction.registry import DATASETS
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.logging import MMLogger
from mmengine.registry import init_default_scope

from .samples import ntu_config, write_samples
from .timing import interleave


def run(options, results) -> None:
    init_default_scope("mmaction")
    MMLogger.get_current_instance().setLevel("WARNING")
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        steps = make_steps(Path(folder), options.samples)
        for times in interleave(steps, options.rounds, "data", per=options.samples):
            rows = []
            for (config, phase, transforms), row in times.items():
                rate = 1e3 / row["median_ms"]
                clips = (10 if phase == "test" else 1) * rate
                baseline = times[config, phase, "MMAction2"]["median_ms"]
                case = {"config": config, "pipeline": phase, "transforms": transforms}
                rates = {
                    "samples_per_s": rate,
                    "clips_per_s": clips,
                    "workers": 2000 / clips,
                }
                ratio = {"times_MMAction2": baseline / row["median_ms"]}
                rows.append({**case, **row, **rates, **ratio})
            results.table("data", rows)


def make_steps(folder: Path, samples: int) -> dict:
    """Return (form, phase, transforms) -> function that prepares all samples."""
    steps = {}
    for form in ("3d", "2d"):
        write_samples(folder / f"{form}.pkl", samples, form)
        for phase in ("train", "test"):
            loader = Config.fromfile(ntu_config(form))[f"{phase}_dataloader"]
            cfg = loader.dataset.get("dataset", loader.dataset)
            cfg.ann_file = str(folder / f"{form}.pkl")
            for transforms, prefix in (("MMAction2", "Fast"), ("ours", "")):
                names = [step["type"].removeprefix(prefix) for step in cfg.pipeline]
                pipeline = [
                    dict(step, type=name)
                    for step, name in zip(cfg.pipeline, names, strict=True)
                ]
                data = DATASETS.build(dict(cfg, pipeline=pipeline))
                steps[form, phase, transforms] = lambda data=data: read_all(data)
    return steps


def read_all(data_set) -> None:
    """Prepare all samples, with the same random numbers in each call."""
    np.random.seed(0)
    for index in range(len(data_set)):
        pseudo_collate([data_set[index]])
