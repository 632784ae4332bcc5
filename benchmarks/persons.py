"""Time `mim test` on samples with one and two persons mixed.

The config is that of NTU RGB+D 60 in 3D with 10 clips per sample, random weights, and random
samples in random order, 70 % with one person. Each run is a new process. `computed` computes
absent persons like others, `skipped` does not, and `grouped` also sorts the samples by the
number of persons. Results are medians over rounds. `total` is the time of the process for
the larger number of samples. `per sample` is the slope between both numbers, which excludes
imports. `faster` compares slopes of the same round with those of `computed`, and `gain` with
those of `skipped`. `difference` is the largest difference from the scores of `computed`.
"""

import statistics
import tempfile
from pathlib import Path
from unittest.mock import patch

import numpy as np
from mmengine.config import Config
from mmengine.dataset import DefaultSampler
from mmengine.evaluator import DumpResults
from mmengine.registry import DATA_SAMPLERS, METRICS
from mmengine.runner import Runner

from msg3d.models import inference

from . import processes
from .samples import sized_config, write_samples
from .timing import interleave

CASES = ("computed", "skipped", "grouped")
TWO_PERSONS = 0.3
ROUNDING = 1e-5  # of scores


def run(options, results) -> None:
    few, many = min(options.samples), max(options.samples)
    if few == many:
        raise ValueError(f"--samples {few}: expected two numbers, such as 8 48")
    scores: dict = {}
    with tempfile.TemporaryDirectory() as folder:
        steps = {}
        for count in (few, many):
            file = Path(folder, f"{count}.pkl")
            write_samples(file, count, two_persons=TWO_PERSONS)
            for case in CASES:
                task = {**vars(options), "case": case, "ann_file": str(file)}

                def step(task=task, key=(case, count)) -> None:
                    (scores[key],) = processes.run(test, task)

                steps[case, count] = step
        for times in interleave(steps, options.rounds, "persons", least=0):
            rows = compare(times, few, many)
            for row in rows:
                row["difference"] = difference(
                    *(scores[c, many] for c in (row["case"], CASES[0]))
                )
                row["exact"] = row["difference"] <= ROUNDING
            results.table("persons", rows)
    results.passed = all(row["exact"] for row in rows)


def difference(scores: list, expected: list) -> float:
    """Return the largest difference of scores [samples][classes]."""
    return float(np.abs(np.array(scores) - np.array(expected)).max())


def compare(times: dict, few: int, many: int) -> list[dict]:
    """Return a row per case.

    Args:
        times: (case, number of samples) -> quartiles and `times_ms`.
        few, many: numbers of samples.
    """

    def slopes(case: str) -> np.ndarray:
        # Round by round, so that load affects both numbers of samples.
        less, more = (np.array(times[case, n]["times_ms"]) for n in (few, many))
        return (more - less) / (many - few)

    rows = []
    for case in CASES:
        total, slope = times[case, many], slopes(case)
        row = {"case": case, "samples": many, "total_ms": total["median_ms"]}
        row["per_sample_ms"] = float(np.median(slope))
        row["times_ms"] = {n: times[case, n]["times_ms"] for n in (few, many)}
        for name, other in (("faster", "computed"), ("gain", "skipped")):
            ratios = slopes(other) / slope
            row[name] = statistics.median(ratios)
            row[f"{name}_range"] = f"{ratios.min():.2f} to {ratios.max():.2f}"
        rows.append(row)
    return rows


@DATA_SAMPLERS.register_module()
class GroupedSampler(DefaultSampler):
    """Sampler that sorts the samples by the number of persons."""

    def __iter__(self):
        counts = [
            len(sample["keypoint"])
            for sample in map(self.dataset.get_data_info, super().__iter__())
        ]
        return iter(np.argsort(counts, kind="stable").tolist())


@METRICS.register_module()
class Scores(DumpResults):
    """Keep the scores of all samples."""

    def compute_metrics(self, results: list) -> dict:
        results = sorted(results, key=lambda sample: sample["frame_dir"])
        return {"scores": [sample["pred_score"].tolist() for sample in results]}


def test(task: dict) -> list[list[float]]:
    """Run `mim test` in this process and return the scores, [samples][classes]."""
    with tempfile.TemporaryDirectory() as folder:
        cfg = config(task)
        cfg.work_dir = folder
        # By default, MMEngine reuses the files of a run in the same second.
        cfg.experiment_name = Path(folder).name
        runner = Runner.from_cfg(cfg)
        if task["case"] != "computed":
            return runner.test()["scores"]
        # As while a CUDA graph is recorded, no values are read.
        with patch.object(inference, "_capturing", lambda x: True):
            return runner.test()["scores"]


def config(task: dict) -> Config:
    """Return the 3D config with the options of a task."""
    cfg = sized_config("3d", task["base_channels"], task["frames"], task["persons"])
    loader = cfg.test_dataloader
    loader.update(batch_size=task["batch_size"], num_workers=task["num_workers"])
    loader.persistent_workers = task["num_workers"] > 0
    loader.dataset.ann_file = task["ann_file"]
    if task["case"] == "grouped":
        loader.sampler = {"type": "GroupedSampler", "shuffle": False}
    cfg.test_evaluator = [
        {"type": "AccMetric"},
        {"type": "Scores", "out_file_path": "scores.pkl"},
    ]
    cfg.randomness = {"seed": 0}
    return cfg
