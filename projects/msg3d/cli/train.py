"""Train a network with MMAction2, like `mim train mmaction CONFIG`.

All options of mim's launchers and MMAction2's train.py are supported. For errors that you
can fix, the last line of the output is an explanation.

examples:
  msg3d train my_config.py --work-dir work_dirs/first --seed 0
  msg3d train my_config.py --resume
  msg3d train my_config.py --weights pretrained.pth
  msg3d train my_config.py --launcher pytorch --gpus 4
  msg3d train my_config.py --launcher slurm --partition P --gpus 8 --gpus-per-node 8
"""

import argparse
from pathlib import Path

from ..errors import ConfigError
from .launching import add_config, add_launcher, add_mmaction, run_script
from .options import add_shared

OPTIONS = (
    "--work-dir",
    "--resume",
    "--amp",
    "--no-validate",
    "--auto-scale-lr",
    "--seed",
    "--diff-rank-seed",
    "--deterministic",
    "--cfg-options",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_config(parser)
    add = add_mmaction(parser)
    add(
        "--resume",
        nargs="?",
        const="auto",
        metavar="CHECKPOINT",
        help="resume training from a checkpoint (without a value: from the last checkpoint "
        "in the work dir)",
    )
    add(
        "--weights",
        metavar="FILE|NAME",
        help="start from the weights of another training: new head for other classes, "
        "joints matched by name for another layout (load_from of the config)",
    )
    add("--amp", action="store_true", help="train with automatic mixed precision")
    add("--no-validate", action="store_true", help="do not evaluate during training")
    add(
        "--auto-scale-lr",
        action="store_true",
        help="scale the learning rate with the total batch size",
    )
    add_shared(
        parser, "--seed", default=None, help="random seed (default: the config's)"
    )
    add(
        "--diff-rank-seed",
        action="store_true",
        help="use a different seed in each process",
    )
    add(
        "--deterministic", action="store_true", help="use deterministic algorithms only"
    )
    add_launcher(parser)


def run(args: argparse.Namespace) -> int:
    from ..checkpoints.shipped import encode_path, find_weights

    if args.resume not in (None, "auto"):
        find_weights(args.resume)
    if args.weights is not None:
        if args.resume is not None:
            raise ConfigError(
                "--weights and --resume are both set, but a resumed training has its own "
                "weights. Omit one of them.",
                kind="option",
            )
        weights = find_weights(args.weights)
        if "://" not in weights:
            weights = encode_path(str(Path(weights).absolute()))
        args.cfg_options = [*(args.cfg_options or []), f"load_from={weights}"]
    return run_script("train", args, OPTIONS)
