"""Time the NTU RGB+D pipelines, and the same with MMAction2's own transforms.

Times per sample of one worker with one thread, from reading to the collated batch. The rows
`MMAction2` have PreNormalize3D and UniformSampleFrames in the places of our versions, which
return the same arrays. A test sample is 10 clips. `workers` feed 2,000 clips per second.
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
                other = times[config, phase, "MMAction2"]["median_ms"]
                case = {"config": config, "pipeline": phase, "transforms": transforms}
                rates = {
                    "samples_per_s": rate,
                    "clips_per_s": clips,
                    "workers": 2000 / clips,
                }
                ratio = {"times_MMAction2": other / row["median_ms"]}
                rows.append({**case, **row, **rates, **ratio})
            results.table("data", rows)


def make_steps(folder: Path, samples: int) -> dict:
    """Return functions that prepare all samples: (form, phase, transforms) -> function."""
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
                    dict(s, type=n) for s, n in zip(cfg.pipeline, names, strict=True)
                ]
                data = DATASETS.build(dict(cfg, pipeline=pipeline))
                steps[form, phase, transforms] = lambda data=data: read_all(data)
    return steps


def read_all(data_set) -> None:
    """Prepare every sample, with the same random numbers each time."""
    np.random.seed(0)
    for index in range(len(data_set)):
        pseudo_collate([data_set[index]])
