"""Test a trained network, like `mim test mmaction CONFIG --checkpoint CHECKPOINT`.

Without CONFIG, the config in the checkpoint is used, with the annotation file that it
names or with --ann-file. For weights that are installed with the package, the accuracy is
compared with that of their model card. The exit status is 1 if they differ.

All options of mim's launchers and MMAction2's test.py are supported. For errors that you
can fix, the last line of the output is an explanation.

examples:
  msg3d test msg3d-synthetic
  msg3d test work_dirs/my_config/best_acc_top1_epoch_60.pth --ann-file mine.pkl
  msg3d test my_config.py work_dirs/my_config/best_acc_top1_epoch_60.pth
  msg3d test my_config.py best.pth --dump scores.pkl
  msg3d test my_config.py best.pth --launcher pytorch --gpus 4
"""

import argparse
import os
import tempfile
from pathlib import Path
from typing import Any

from .launching import add_launcher, add_mmaction, run_script
from .options import add_shared, check_overwrite, complete, config_names, weights_names

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
    config = parser.add_argument(
        "config",
        nargs="?",
        metavar="CONFIG",
        help="config file, or the name of a shipped config (default: the config in the "
        "checkpoint)",
    )
    complete(config, lambda **_: [*config_names(), *weights_names()])
    weights = parser.add_mutually_exclusive_group()
    weights.add_argument(
        "weights",
        nargs="?",
        metavar="CHECKPOINT",
        help="weights of the network: a .pth file, .safetensors file, URL, or the name of "
        "weights in the package",
    )
    weights.add_argument(
        "-C", "--checkpoint", metavar="FILE", help="the same as CHECKPOINT, as in mim"
    )
    parser.add_argument(
        "--ann-file",
        metavar="FILE",
        help="annotation file to test on, without CONFIG (default: the file that the "
        "checkpoint names, relative to the current folder)",
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
    from ..errors import ConfigError

    checkpoint = args.checkpoint if args.weights is None else args.weights
    if checkpoint is None and args.config is not None:
        args.config, checkpoint = None, _without_config(args.config)
    if checkpoint is None:
        raise argparse.ArgumentError(None, "CHECKPOINT is required")
    checkpoint = find_weights(checkpoint)
    check_overwrite(args.overwrite, args.dump)
    if args.config is None:
        return _test_stored(args, checkpoint)
    if args.ann_file is not None:
        raise ConfigError(
            "--ann-file replaces the annotation file of the config in a checkpoint. Omit "
            "CONFIG, or set the file in your config.",
            kind="option",
            field="ann_file",
        )
    return run_script("test", args, OPTIONS, [checkpoint])


def _without_config(word: str) -> str:
    """Return the only positional argument if it can be a checkpoint."""
    from ..apis.config_files import SUFFIXES, shipped_configs

    if word.endswith(SUFFIXES) or word in shipped_configs():
        raise argparse.ArgumentError(None, f"CHECKPOINT is required for {word}")
    return word


def _test_stored(args: argparse.Namespace, checkpoint: str) -> int:
    """Test with the config in the checkpoint, and compare with the model card."""
    from ..apis.stored_test import write_test_config
    from ..checkpoints.shipped import card_of, shipped_name

    name = shipped_name(checkpoint)
    card: dict[str, Any] = card_of(name)["msg3d"] if name is not None else {}
    # Slurm nodes share the current folder, but not /tmp.
    shared = "." if args.launcher == "slurm" and os.access(".", os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix=".msg3d-", dir=shared) as folder:
        args.config = str(
            write_test_config(
                checkpoint, Path(folder), args.ann_file, card.get("prepare")
            )
        )
        status = run_script("test", args, OPTIONS, [checkpoint])
    if name is None or status:
        return status
    return _compare(name, card["correct"], card["samples"])


def _compare(name: str, correct: int, samples: int) -> int:
    """Compare the result of a test in this process with the model card, and print both.

    Returns:
        1 if the results differ, and otherwise 0. The processes of a launcher log their
        results, and nothing is compared.
    """
    from ..apis import launch

    top1 = launch.results("test").get("acc/top1")
    if top1 is None or os.environ.get("RANK", "0") != "0":
        return 0
    same = abs(top1 - correct / samples) < 1e-6
    print(
        f"{name}: top-1 {100 * top1:.2f}, model card {100 * correct / samples:.2f} "
        f"({correct} of {samples}): {'equal' if same else 'different'}"
    )
    return int(not same)
