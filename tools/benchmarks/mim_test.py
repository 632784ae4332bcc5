"""`mim test` as a user types it, 10 clips a sample: the whole process, by the clock.

The same command, data and checkpoint twice: with our backbone, and with the plain
form registered in its place.
"""

import pickle
import statistics
import tempfile
import time
from pathlib import Path

import torch
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.registry import init_default_scope

from msg3d.datasets import save_annotations

from .data import ntu_config
from .machine import REPOSITORY
from .networks import OURS, PLAIN
from .ntu_like import ntu_like
from .processes import BIN, last_error
from .processes import run as run_process
from .progress import progress
from .results import Results, table

BACKBONES = {PLAIN: "PlainMSG3D", OURS: "MSG3D"}
MODULE = '''"""The plain form, for configs to name."""

import sys

sys.path.append({tests!r})

from mmaction.registry import MODELS
from reference import ReferenceMSG3D

MODELS.register_module("PlainMSG3D", module=ReferenceMSG3D)
'''
CONFIG = """_base_ = {base!r}
custom_imports = dict(
    imports=['msg3d', 'plain_msg3d'], allow_failed_imports=False)
model = dict(
    backbone=dict(type={backbone!r}, base_channels={channels}),
    cls_head=dict(in_channels={outputs}))
test_dataloader = dict(dataset=dict(ann_file={ann_file!r}))
"""


def run(options, results: Results) -> None:
    """Few and many samples, both networks in turn; `results.data["mim_test"]`."""
    found = results.data["mim_test"] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _prepare(folder, options)
        seconds = {(n, net): [] for n in options.mim_samples for net in BACKBONES}
        try:
            for number in range(1, options.mim_repeats + 1):
                for samples, network in seconds:
                    progress(
                        f"mim test: round {number} of {options.mim_repeats}, "
                        f"{network}, {samples} samples"
                    )
                    taken = _mim_test(folder, network, samples, options)
                    seconds[samples, network].append(taken)
            found["max_abs_difference"] = _difference(folder, options.mim_samples[1])
        except (RuntimeError, OSError) as error:
            found["error"] = str(error)
        finally:
            found.update(_summary(seconds, options.mim_samples))
            results.show("mim test", _text(found))


def _prepare(folder: Path, options) -> None:
    """Data, module, configs and checkpoint."""
    text = MODULE.format(tests=str(REPOSITORY / "tests"))
    (folder / "plain_msg3d.py").write_text(text)
    for samples in options.mim_samples:
        file = folder / f"ntu_like_{samples}.pkl"
        save_annotations(ntu_like(samples, joints=25), str(file))
        for network, backbone in BACKBONES.items():
            config = CONFIG.format(
                base=str(ntu_config("3d")),
                backbone=backbone,
                channels=options.base_channels,
                outputs=4 * options.base_channels,
                ann_file=str(file),
            )
            (folder / f"{network}_{samples}.py").write_text(config)
    init_default_scope("mmaction")
    torch.manual_seed(0)
    model = dict(Config.fromfile(ntu_config("3d")).model)
    model["backbone"] = {**model["backbone"], "base_channels": options.base_channels}
    model["cls_head"] = {**model["cls_head"], "in_channels": 4 * options.base_channels}
    checkpoint = dict(meta=dict(), state_dict=MODELS.build(model).state_dict())
    torch.save(checkpoint, folder / "checkpoint.pth")


def _mim_test(folder: Path, network: str, samples: int, options) -> float:
    """Seconds of the whole process.

    Raises:
        RuntimeError: it failed; the message holds its last error.
    """
    command = [str(BIN / "mim"), "test", "mmaction", f"{network}_{samples}.py"]
    command += ["--checkpoint", "checkpoint.pth", "--work-dir", "work"]
    command += ["--dump", f"{network}_{samples}_scores.pkl"]
    start = time.perf_counter()
    done = run_process(command, options, search=folder, cwd=folder)
    taken = time.perf_counter() - start
    if done.returncode:
        raise RuntimeError(f"mim test with {network} failed: {last_error(done)}")
    return taken


def _difference(folder: Path, samples: int) -> float:
    """Greatest difference of the two networks' scores, which are probabilities."""
    scores = []
    for network in BACKBONES:
        # Written a moment ago by a process of ours.
        with open(folder / f"{network}_{samples}_scores.pkl", "rb") as file:
            dumped = pickle.load(file)
        scores.append(torch.stack([torch.as_tensor(s["pred_score"]) for s in dumped]))
    return float((scores[0] - scores[1]).abs().max())


def _summary(seconds: dict, numbers: list[int]) -> dict:
    """Medians, and the seconds of one further sample: the slope between them."""
    rows = []
    for (samples, network), readings in seconds.items():
        row = dict(network=network, samples=samples, seconds=readings)
        if readings:
            row["median"] = statistics.median(readings)
            row["min"], row["max"] = min(readings), max(readings)
            if seconds[samples, PLAIN]:
                row["ratio"] = (
                    statistics.median(seconds[samples, PLAIN]) / row["median"]
                )
        rows.append(row)
    medians = {(row["samples"], row["network"]): row.get("median") for row in rows}
    few, many = numbers
    slopes = {
        network: (medians[many, network] - medians[few, network]) / (many - few)
        for network in BACKBONES
        if medians[many, network] and medians[few, network]
    }
    found = dict(rows=rows, seconds_per_further_sample=slopes)
    if len(slopes) == 2 and min(slopes.values()) > 0:  # else: noise, no figure
        found["further_sample_ratio"] = slopes[PLAIN] / slopes[OURS]
    return found


def _text(found: dict) -> str:
    rows = [
        *found["rows"],
        *(
            dict(
                network=network,
                samples="one further",
                median=slope,
                ratio=found.get("further_sample_ratio") if network == OURS else None,
            )
            for network, slope in found["seconds_per_further_sample"].items()
        ),
    ]
    columns = {
        "samples": lambda row: row["samples"],
        "network": lambda row: row["network"],
        "median s": lambda row: f"{row['median']:.3f}",
        "min s": lambda row: f"{row['min']:.3f}",
        "max s": lambda row: f"{row['max']:.3f}",
        "times plain": lambda row: f"{row['ratio']:.2f}",
    }
    text = [table(rows, columns)]
    text.append(
        "The whole process of `mim test mmaction CONFIG --checkpoint CHECKPOINT`, "
        "start, data and all, with the NTU60 3D config: 10 clips of 100 frames a "
        "sample, most samples with one person. `one further`: what each sample after "
        "the first few adds."
    )
    if "max_abs_difference" in found:
        text.append(
            "Greatest difference of the dumped scores: "
            f"{found['max_abs_difference']:.1e}."
        )
    if "error" in found:
        text.append(f"Error: {found['error']}")
    return "\n\n".join(text)
