"""What one worker of the loader prepares a second, and where its time goes."""

import math
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from mmaction.registry import DATASETS
from mmengine.config import Config
from mmengine.logging import MMLogger
from mmengine.registry import init_default_scope

import msg3d
from msg3d.datasets import save_annotations

from .networks import OURS
from .ntu_like import ntu_like
from .progress import progress
from .results import Results, table

CONFIGS = Path(msg3d.__file__).parent / "configs" / "msg3d"
# config's ending -> (joints, layout of the model that it feeds)
FORMS = {"3d": (25, "nturgb+d"), "2d": (17, "coco")}
FEED = 2000  # clips a second


def run(options, results: Results) -> None:
    """Train and test pipelines of both NTU configs; `results.data["data"]`."""
    rows = results.data["data"] = []
    init_default_scope("mmaction")
    MMLogger.get_current_instance().setLevel("WARNING")  # data sets tell their length
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as in a worker
    try:
        for form in FORMS:
            rows += _measure(form, options)
            results.save()
    finally:
        torch.set_num_threads(threads)
        if rows:
            speed = results.data.get("speed", [])
            for row in rows:
                row.update(_bottleneck(row, speed))
            results.show("Data", _text(rows))


def ntu_config(form: str) -> Path:
    """The config of "3d" or "2d"."""
    return CONFIGS / f"msg3d_8xb16-joint-u100-80e_ntu60-xsub-keypoint-{form}.py"


def _measure(form: str, options) -> list[dict]:
    joints, layout = FORMS[form]
    cfg, rows = Config.fromfile(ntu_config(form)), []
    with tempfile.TemporaryDirectory() as folder:
        file = str(Path(folder) / "ntu_like.pkl")
        save_annotations(ntu_like(options.data_samples, joints), file)
        for phase in ("train", "test"):
            loader = cfg[f"{phase}_dataloader"]
            dataset = loader.dataset.get("dataset", loader.dataset)  # once, not 5 times
            dataset = DATASETS.build({**dataset, "ann_file": file})
            row = dict(form=form, layout=layout, phase=phase)
            row["config_workers"] = loader.num_workers
            rows.append({**row, **_time(dataset, f"{form} {phase}", options.repeats)})
    return rows


def _time(dataset, what: str, repeats: int) -> dict:
    """Medians over rounds, of whole samples and of each step; seconds a sample."""
    transforms = dataset.pipeline.transforms
    names = ["read", *(type(transform).__name__ for transform in transforms)]
    clips, rounds = 0, []
    for number in range(repeats + 1):  # the first one warms up
        progress(f"data: {what}: " + (f"round {number}" if number else "warming up"))
        np.random.seed(number)
        spent = np.zeros(len(names))
        for index in range(len(dataset)):
            clock = [time.perf_counter()]
            sample = dataset.get_data_info(index)
            clock.append(time.perf_counter())
            for transform in transforms:
                sample = transform(sample)
                clock.append(time.perf_counter())
            spent += np.diff(clock)
        clips = len(sample["inputs"])
        if number:
            rounds.append(spent / len(dataset))
    median = statistics.median(float(spent.sum()) for spent in rounds)
    steps = zip(names, np.median(rounds, axis=0).tolist())
    return dict(
        seconds_per_sample=median,
        samples_per_second=1 / median,
        clips_per_second=clips / median,
        clips_per_sample=clips,
        workers_for_feed=math.ceil(FEED * median / clips),
        steps=[dict(name=name, seconds=spent) for name, spent in steps],
    )


def _bottleneck(row: dict, speed: list[dict]) -> dict:
    """Beside the fastest training of ours, if that was measured."""
    trained = [
        other["clips_per_second"]
        for other in speed
        if other.get("network") == OURS
        and (other.get("part"), other["layout"]) == ("train", row["layout"])
        and "clips_per_second" in other
    ]
    if row["phase"] != "train" or not trained:
        return {}
    loaded = row["config_workers"] * row["clips_per_second"]
    return dict(
        train_clips_per_second=max(trained),
        workers_for_training=math.ceil(max(trained) / row["clips_per_second"]),
        bottleneck="loader" if loaded < max(trained) else "model",
    )


def _text(rows: list) -> str:
    columns = {
        "config": lambda row: f"NTU60 {row['form'].upper()}",
        "pipeline": lambda row: row["phase"],
        "ms a sample": lambda row: f"{1e3 * row['seconds_per_sample']:.3f}",
        "samples/s": lambda row: f"{row['samples_per_second']:,.0f}",
        "clips/s": lambda row: f"{row['clips_per_second']:,.0f}",
        f"workers for {FEED:,} clips/s": lambda row: row["workers_for_feed"],
    }
    steps = [
        {**row, **step, "share": step["seconds"] / row["seconds_per_sample"]}
        for row in rows
        for step in row["steps"]
    ]
    step_columns = {
        "config": columns["config"],
        "pipeline": columns["pipeline"],
        "step": lambda row: row["name"],
        "ms a sample": lambda row: f"{1e3 * row['seconds']:.3f}",
        "share": lambda row: f"{row['share']:.0%}",
    }
    text = [table(rows, columns), table(steps, step_columns)]
    text.append(
        "One worker, one thread: reading out of the data set, then every transform; "
        "what batches cost on their way to the model is not in it. A test sample is "
        "10 clips."
    )
    text += [_sentence(row) for row in rows if "bottleneck" in row]
    return "\n\n".join(text)


def _sentence(row: dict) -> str:
    return (
        f"NTU60 {row['form'].upper()}: MSG3D trains at "
        f"{row['train_clips_per_second']:,.4g} clips/s here, one worker prepares "
        f"{row['clips_per_second']:,.4g}. Workers needed to keep up: "
        f"{row['workers_for_training']}; with the config's {row['config_workers']} the "
        f"{row['bottleneck']} is the bottleneck."
    )
