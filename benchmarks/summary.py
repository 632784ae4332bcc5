"""Summarize the speed of msg3d on this machine in about five minutes.

Each `ratio` is a speed, where above 1 means faster: the median over rounds in which both sides
were timed in turn. `from` and `to` are the lowest and highest round. Only the memory is a
size. `gemm share` is the share of the rate of one large matrix product.

Rows: MS-G3D against its published form; bfloat16 (`--amp`) against our float32; tensors
stored for the backward pass, counted on device `meta`; the network in ONNX Runtime against
our eager form, on one thread; and `msg3d train` and `mim train mmaction` from start to first
iteration. `--full` repeats three times as often, and adds ST-GCN, AAGCN, and CTR-GCN.
"""

import copy
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
from argparse import Namespace
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import torch
from mmaction.registry import MODELS
from mmengine.registry import DefaultScope

from msg3d.engine.hooks.memory_hook import keep_freed_memory

from . import networks as nets
from . import speed
from .networks import OURS, PLAIN
from .samples import sized_config, write_samples
from .saved import saved_per_clip
from .timing import first_line, interleave, progress

PARTS = {
    "infer": "inference",
    "absent": "inference, one of two persons absent",
    "train": "training step",
}
OTHERS = ("stgcn", "aagcn", "ctrgcn")
LAYOUT = "nturgb+d"
HALF = "msg3d in bfloat16"
START_LIMIT = 120  # seconds


def run(options, results) -> None:
    if options.device == "cpu":
        keep_freed_memory()
    options = Namespace(**vars(options), models=[OURS])
    if options.full:
        options.rounds *= 3
        options.models += OTHERS
    rows: list[dict] = []
    for section in (steps, memory, exported, starts):
        try:
            for new in section(options):
                rows.append(new)
                results.table("summary", rows)
        except Exception as error:  # such as a missing package; the others still count
            results.passed = False
            rows.append({"what": section.__name__, "note": first_line(error)})
    results.table("summary", rows)


def parts_of(options) -> dict[str, str]:
    """Return the parts to measure with their descriptions."""
    return {
        part: what
        for part, what in PARTS.items()
        if part != "absent" or options.persons == 2
    }


def ratios(times: dict, one: object, other: object) -> dict:
    """Return the median, lowest, and highest ratio of times over the rounds."""
    pairs = zip(times[one]["times_ms"], times[other]["times_ms"], strict=True)
    values = [a / b for a, b in pairs]
    median = statistics.median(values)
    return {"ratio": median, "from": min(values), "to": max(values)}


def steps(options) -> Iterator[dict]:
    """Compare inference and training steps of all networks."""
    device = options.device
    networks = {
        name: nets.build(name, LAYOUT, options).to(device)
        for name in nets.names(options)
    }
    # Its own network, since inference caches only the last data type.
    half = copy.deepcopy(networks[OURS])
    work = speed.count(OURS, LAYOUT, options)
    reason = nets.emulated("bfloat16", device) and "this CPU has no instructions for it"
    for part, what in parts_of(options).items():
        clips = nets.keypoints(options, options.batch, LAYOUT, "float32", part)
        tasks: dict[str, Callable] = {
            name: nets.step_of(part, network, clips, "float32")
            for name, network in networks.items()
        }
        if not reason:
            tasks[HALF] = nets.step_of(part, half, clips, "bfloat16")
        tasks[speed.GEMM], gflop = speed.gemm_step("float32", device)
        with nets.precision("float32"):
            *_, times = interleave(tasks, options.rounds, what, device)
        ours = times[OURS]["median_ms"]
        limit = speed.gmac_of(part, options.batch, work) * 2 * options.batch
        limit *= (3 if part == "train" else 1) * times[speed.GEMM]["median_ms"] / gflop
        row = {"what": f"{what}: msg3d against the published form"}
        row |= {"ms_per_clip": ours / options.batch, "gemm_share": limit / ours}
        yield ratios(times, PLAIN, OURS) | row
        for name in options.models[1:]:
            yield {**ratios(times, name, OURS), "what": f"{what}: msg3d against {name}"}
        row = {"what": f"{what}: bfloat16 against float32"}
        if reason:
            yield {**row, "note": reason}
        else:
            yield ratios(times, OURS, HALF) | row


def memory(options) -> Iterator[dict]:
    """Compare the tensors that are stored for the backward pass on accelerators."""
    progress("memory")
    clips = nets.keypoints(options, 2, LAYOUT, "float32").to("meta")
    plain, ours = (
        saved_per_clip(nets.build(name, LAYOUT, options).train().to("meta"), clips)
        for name in (PLAIN, OURS)
    )
    what = "stored for the backward pass: msg3d relative to the published form"
    yield {
        "what": what,
        "ratio": ours / plain,
        "note": f"{ours / 2**20:.0f} MiB per clip",
    }


def exported(options) -> Iterator[dict]:
    """Compare an exported network with the eager form, on one thread."""
    progress("export")
    from msg3d.apis.exported import OnnxScores
    from msg3d.apis.trained import TorchScores
    from msg3d.export.network import ExportedNetwork
    from msg3d.export.onnx_file import onnx_bytes

    cfg = sized_config("3d", options.base_channels, options.frames, options.persons)
    models = []
    for _ in range(2):
        torch.manual_seed(0)
        with DefaultScope.overwrite_default_scope("mmaction"):
            models.append(MODELS.build(cfg.model).eval())
    network = ExportedNetwork(models.pop())
    joints, channels = models[0].backbone.graph.num_node, models[0].backbone.in_channels
    content = onnx_bytes(network, options.persons, joints, channels, "{}")
    scores = {OURS: TorchScores(models[0]), "onnx": OnnxScores(content, threads=1)}
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        for part, what in parts_of(options).items():
            if part == "train":
                continue
            clips = nets.keypoints(options, options.batch, LAYOUT, "float32", part)
            inputs = list(clips.cpu().numpy()[:, None])  # [clips, M, T, V, C] each
            tasks = {name: partial(score, inputs) for name, score in scores.items()}
            what += ": ONNX Runtime against msg3d, one thread"
            *_, times = interleave(tasks, options.rounds, what)
            clip = times["onnx"]["median_ms"] / options.batch
            yield {**ratios(times, OURS, "onnx"), "what": what, "ms_per_clip": clip}
    finally:
        torch.set_num_threads(threads)


def starts(options) -> Iterator[dict]:
    """Time commands from their start to the first training iteration."""
    programs = {
        "msg3d train": [sys.executable, "-m", "msg3d", "train"],
        "mim train mmaction": [
            str(Path(sys.executable).with_name("mim")),
            "train",
            "mmaction",
        ],
    }
    with tempfile.TemporaryDirectory() as folder:
        data, config = Path(folder, "data.pkl"), Path(folder, "config.py")
        write_samples(data, 32)
        cfg = sized_config("3d", 24, 32)
        loaders = cfg.train_dataloader, cfg.val_dataloader, cfg.test_dataloader
        for loader in loaders:
            loader.update(num_workers=0, persistent_workers=False)
            samples = loader.dataset.get("dataset", loader.dataset)
            samples.ann_file = str(data)
        cfg.default_hooks.logger.interval = 1
        cfg.dump(config)
        tasks = {
            name: partial(until_first_iteration, [*words, str(config)], folder)
            for name, words in programs.items()
        }
        *_, times = interleave(tasks, min(3, options.rounds), "start", least=0)
        first = next(iter(programs))
        for name in programs:
            row = {"what": f"{name}, from start to first iteration"}
            if name != first:
                row["what"] += f", against {first}"
                row = ratios(times, first, name) | row
            seconds = [ms / 1e3 for ms in times[name]["times_ms"]]
            row["note"] = f"{statistics.median(seconds):.1f} s"
            yield row


def until_first_iteration(command: list[str], folder: str) -> None:
    """Run a training command until it logs its first iteration, and stop it.

    Raises:
        RuntimeError: the command ended before, or took too long.
    """
    with subprocess.Popen(
        [*command, "--work-dir", f"{folder}/run"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:

        def kill() -> None:  # mim and the process that it starts
            os.killpg(process.pid, signal.SIGKILL)

        timer = threading.Timer(START_LIMIT, kill)
        timer.start()
        try:
            for line in process.stdout or ():
                if "Epoch(train)" in line:
                    return
        finally:
            timer.cancel()
            kill()
    raise RuntimeError(f"{' '.join(command[-3:])}: no iteration")
