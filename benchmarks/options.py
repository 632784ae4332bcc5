"""Command-line options of all benchmarks.

NOTE: `--help` imports this module. Importing torch here would make it slow.
"""

import argparse
import ast
from pathlib import Path

CHOICES = {
    "device": ("cpu", "cuda"),
    "dtypes": ("float32", "tf32", "bfloat16", "float16", "float64"),
    "forms": ("pickle", "store"),
    "models": ("msg3d", "stgcn", "aagcn"),
    "modes": ("eager", "compiled", "cudagraphs"),
    "parts": ("infer", "absent", "train"),
}
HELP = {
    "against": "NAME=FILE.py:CLASS of other backbones, built with those of graph_cfg, "
    "num_person, and base_channels that they accept; with the plain form's weights",
    "base_channels": "width of MS-G3D",
    "batch": "clips per step",
    "batch_size": "samples per step of each GPU or process",
    "batches": "batches to read; several ranks read an epoch instead",
    "bytes": "size of the gradients",
    "epochs": "length of the training, 10 or more",
    "frames": "frames per clip",
    "inside": "GB/s between the GPUs of a node",
    "layouts": "skeleton layouts",
    "models": "networks beside the plain form",
    "network": "Gbit/s between nodes",
    "node_gpus": "GPUs per node",
    "num_workers": "workers of each data loader",
    "output": "JSON file; the tables go beside it as .md",
    "persons": "persons per clip",
    "processes": "numbers of processes",
    "ranks": "processes that read at the same time",
    "raw": "folder of real files to read instead",
    "rounds": "each round times everything once",
    "step_ms": "time of a step on one GPU: measure yours",
    "threads": "threads of torch in each process",
}
SIZE = {"device": "cpu", "threads": 2, "frames": 100, "persons": 2, "base_channels": 96}
NETWORKS = dict(SIZE, layouts=["nturgb+d", "coco"], batch=[8], dtypes=["float32"])
COMPARED = dict(NETWORKS, models=["msg3d", "stgcn", "aagcn"], against=[""])
# MS-G3D with 96 channels and 60 classes in float32, the cross-subject split of NTU60.
CLUSTER = {"step_ms": 100.0, "batch_size": 16, "bytes": 12_778_380, "samples": 40_091}
CLUSTER.update(node_gpus=8, inside=200.0, network=[200.0, 25.0])
# Options of each command with their defaults, which also say the type.
COMMANDS = {
    "speed": dict(COMPARED, modes=["eager"], parts=[*CHOICES["parts"]], rounds=5),
    "exact": NETWORKS,
    "memory": COMPARED,
    "data": {"samples": 16, "rounds": 5},
    "stream": dict(SIZE, rounds=5),
    "store": {
        "samples": 100_000,
        "num_workers": 4,
        "ranks": 1,
        "batches": 250,
        "rounds": 3,
    },
    "load": {
        "forms": ["pickle", "store"],
        "epochs": 1000,
        "samples": 32,
        "batch_size": 4,
        "num_workers": 8,
    },
    "scaling": {
        "processes": [1, 2, 4],
        "base_channels": 48,
        "frames": 32,
        "batch_size": 2,
        "rounds": 40,
    },
    "scaling-model": dict(CLUSTER, gpus=[8, 16, 32, 64, 128, 256, 512]),
    "parse": {"files": 12, "raw": "", "rounds": 5},
}


def parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    top = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure msg3d on this machine.",
        epilog="Tables go to standard output, progress to standard error. Ctrl-C keeps "
        "what was measured.",
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
            several = isinstance(default, list)
            sub.add_argument(
                f"--{key.replace('_', '-')}",
                default=default,
                type=type(default[0] if several else default),
                choices=CHOICES.get(key),
                help=HELP.get(key, key),
                nargs="+" if several else None,
            )
    return top


def check(options: argparse.Namespace) -> None:
    """Check what argparse cannot, before anything is measured.

    Raises:
        ValueError: with the option, its value, and what is allowed.
    """
    least = {"base_channels": 6, "epochs": 10}  # MS-TCN has six branches
    for key, value in vars(options).items():
        for number in value if isinstance(value, list) else [value]:
            low = least.get(key, 1 if isinstance(number, int) else 0)
            if isinstance(number, (int, float)) and not low <= number < float("inf"):
                option = f"--{key.replace('_', '-')} {number}"
                raise ValueError(f"{option}: expected {low} or more")
    if options.output.suffix != ".json":
        raise ValueError(f"--output {options.output}: expected a name ending in .json")
    if "device" in options:
        from .networks import check_networks

        check_networks(options)
