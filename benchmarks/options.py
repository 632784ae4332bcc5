"""Command-line options of all benchmarks.

NOTE: `--help` imports this module. Importing torch here would make it slow.
"""

import argparse
import ast
from pathlib import Path

CHOICES = {
    "allocator": ("reuse", "default"),
    "device": ("auto", "cpu", "cuda"),
    "dtypes": ("float32", "tf32", "bfloat16", "float16", "float64"),
    "forms": ("pickle", "store"),
    "models": ("msg3d", "stgcn", "aagcn", "ctrgcn"),
    "modes": ("eager", "compiled", "cudagraphs"),
    "parts": ("infer", "absent", "mix", "train"),
    "works": ("load", "train"),
}
HELP = {
    "ann_file": "annotation file of 3D sequences instead of synthetic ones",
    "folder": "folder for temporary files of this size and more",
    "gib": "size of the array in GiB",
    "allocator": "`reuse` keeps freed memory in the process on a CPU, as in training",
    "against": "other backbones as NAME=FILE.py:CLASS, called with graph_cfg, "
    "num_person, and base_channels if accepted; weights of the published form if matching",
    "base_channels": "base channels of MS-G3D",
    "batch": "clips per step",
    "batch_size": "samples per step and GPU or process",
    "batches": "batches to measure; `store` with several ranks reads a complete epoch "
    "instead",
    "bytes": "size of the gradients in bytes",
    "device": "device of the networks; auto is cuda if torch detects a GPU, otherwise cpu",
    "dtypes": "data types",
    "epochs": "epochs of the training, at least 10",
    "files": "number of synthetic files",
    "full": "repeat three times as often, and compare with other networks",
    "forms": "formats of the annotations",
    "frames": "frames per clip",
    "gpus": "numbers of GPUs",
    "inside": "bandwidth between the GPUs of a node in GB/s",
    "latency_ms": "additional latency of each read from a store in ms",
    "layouts": "skeleton layouts",
    "minutes": "time limit: nothing new is measured after it",
    "models": "networks to compare with the published form",
    "modes": "execution modes",
    "network": "bandwidth between nodes in Gbit/s",
    "node_gpus": "GPUs per node",
    "num_workers": "workers per data loader",
    "output": "JSON file; tables are written next to it as .md, and a chart of `speed` as "
    ".svg",
    "parts": "steps to time",
    "persons": "persons per clip",
    "processes": "numbers of processes",
    "ranks": "number of processes that read simultaneously",
    "raw": "folder of .skeleton files to read instead of synthetic files",
    "rounds": "number of rounds; each round times every step once",
    "samples": "number of samples",
    "step_ms": "measured time of a training step on one GPU in ms",
    "threads": "torch threads per process",
    "widths": "base channels of MS-G3D",
    "works": "whether to only load batches, to train with them, or both",
}
SIZE = {"device": "cpu", "threads": 2, "frames": 100, "persons": 2, "base_channels": 96}
NETWORKS = dict(SIZE, layouts=["nturgb+d", "coco"], batch=[8], dtypes=["float32"])
COMPARED = dict(NETWORKS, models=[*CHOICES["models"]], against=[""])
# MS-G3D with 96 channels and 60 classes in float32, the cross-subject split of NTU60.
CLUSTER = {"step_ms": 100.0, "batch_size": 16, "bytes": 12_778_380, "samples": 40_091}
CLUSTER.update(node_gpus=8, inside=200.0, network=[200.0, 25.0])
# Options of each command with their defaults, which also determine the type.
COMMANDS = {
    "summary": dict(SIZE, device="auto", batch=4, rounds=7, full=False),
    "speed": dict(
        COMPARED,
        modes=["eager"],
        parts=[*CHOICES["parts"]],
        rounds=5,
        allocator="reuse",
    ),
    "exact": NETWORKS,
    "accelerator": dict(
        NETWORKS,
        device="auto",
        layouts=["nturgb+d"],
        dtypes=["float32", "tf32", "bfloat16"],
        modes=["eager"],
        rounds=3,
        minutes=8.0,
    ),
    "memory": COMPARED,
    "data": {"samples": 16, "rounds": 5},
    "dropout": {
        "widths": [24, 48, 96],
        "batch_size": 16,
        "frames": 52,
        "persons": 1,
        "threads": 1,
        "rounds": 5,
        "allocator": "reuse",
    },
    "parts": {
        "layouts": ["nturgb+d", "coco"],
        "batch_size": 8,
        "frames": 100,
        "base_channels": 96,
        "threads": 2,
        "rounds": 5,
        "allocator": "reuse",
    },
    "stream": dict(SIZE, rounds=5),
    "store": {
        "samples": 100_000,
        "num_workers": 4,
        "ranks": 1,
        "batches": 250,
        "rounds": 3,
    },
    "million": {
        "samples": 20_000,
        "ranks": 2,
        "num_workers": 2,
        "batch_size": 16,
        "base_channels": 12,
        "batches": 200,
        "rounds": 3,
        "works": ["load", "train"],
        "latency_ms": 0.0,
        "folder": "",
    },
    "load": {
        "forms": ["pickle", "store"],
        "epochs": 1000,
        "samples": 32,
        "batch_size": 4,
        "num_workers": 8,
    },
    "persons": dict(SIZE, samples=[8, 48], batch_size=8, num_workers=2, rounds=5),
    "scaling": {
        "processes": [1, 2, 4],
        "base_channels": 48,
        "frames": 32,
        "batch_size": 2,
        "rounds": 40,
    },
    "scaling-model": dict(CLUSTER, gpus=[8, 16, 32, 64, 128, 256, 512]),
    "parse": {"files": 12, "raw": "", "rounds": 5},
    "convert": {"gib": 1.0, "ann_file": "", "folder": ""},
}


def parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    top = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure msg3d on this machine.",
        epilog="Tables are printed to standard output, progress to standard error. Ctrl-C "
        "keeps the results so far.",
    )
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, defaults in COMMANDS.items():
        source = (
            Path(__file__)
            .with_name(f"{name.replace('-', '_')}.py")
            .read_text(encoding="utf-8")
        )
        about = ast.get_docstring(ast.parse(source))
        sub = commands.add_parser(
            name,
            help=about.splitlines()[0],
            description=about,
            formatter_class=argparse.ArgumentDefaultsHelpFormatter,
        )
        defaults = dict(defaults, output=Path(f"work_dirs/benchmarks/{name}.json"))
        for key, default in defaults.items():
            if default is False:
                sub.add_argument(f"--{key}", action="store_true", help=HELP[key])
                continue
            multiple = isinstance(default, list)
            sub.add_argument(
                f"--{key.replace('_', '-')}",
                default=default,
                type=type(default[0] if multiple else default),
                choices=CHOICES.get(key),
                help=HELP.get(key, key),
                nargs="+" if multiple else None,
            )
    return top


def check(options: argparse.Namespace) -> None:
    """Check the values of the options before measuring.

    Raises:
        ValueError: a value is invalid.
    """
    minimums = {"base_channels": 6, "epochs": 10}  # MS-TCN has six branches.
    for key, value in vars(options).items():
        for number in value if isinstance(value, list) else [value]:
            minimum = minimums.get(key, 1 if isinstance(number, int) else 0)
            if (
                isinstance(number, (int, float))
                and not isinstance(number, bool)
                and not (minimum <= number < float("inf"))
            ):
                option = f"--{key.replace('_', '-')} {number}"
                raise ValueError(f"{option}: expected {minimum} or more")
    if options.output.suffix != ".json":
        raise ValueError(f"--output {options.output}: expected a name ending in .json")
    if "device" in options:
        from .networks import check_networks

        check_networks(options)
