"""Test a trained network, like `mim test mmaction CONFIG --checkpoint CHECKPOINT`.

All options of mim's launchers and MMAction2's test.py are supported. For errors that you
can fix, the last line of the output is an explanation.

examples:
  msg3d test my_config.py work_dirs/my_config/best_acc_top1_epoch_60.pth
  msg3d test my_config.py best.pth --dump scores.pkl
  msg3d test my_config.py best.pth --launcher pytorch --gpus 4
"""

import argparse

from .launching import add_config, add_launcher, add_mmaction, run_script
from .options import add_shared, check_overwrite

OPTIONS = (
    "--work-dir",
    "--dump",
    "--show-dir",
    "--show",
    "--interval",
    "--wait-time",
    "--cfg-options",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_config(parser)
    weights = parser.add_mutually_exclusive_group(required=True)
    weights.add_argument(
        "weights",
        nargs="?",
        metavar="CHECKPOINT",
        help="weights of the network, as a .pth file, .safetensors file, or URL",
    )
    weights.add_argument(
        "-C", "--checkpoint", metavar="FILE", help="the same as CHECKPOINT, as in mim"
    )
    add = add_mmaction(parser)
    add("--dump", metavar="FILE", help="write the scores to a .pkl file")
    add_shared(parser, "--overwrite", help="replace the file of --dump (default: fail)")
    add("--show-dir", metavar="DIR", help="write visualizations of the results")
    add("--show", action="store_true", help="show the results in a window")
    add("--interval", type=int, metavar="N", help="visualize every N-th sample")
    add("--wait-time", type=float, metavar="S", help="seconds to show each window")
    add_launcher(parser)


def run(args: argparse.Namespace) -> int:
    from ..checkpoints.shipped import find_weights

    checkpoint = find_weights(args.checkpoint if args.weights is None else args.weights)
    check_overwrite(args.overwrite, args.dump)
    return run_script("test", args, OPTIONS, [checkpoint])
