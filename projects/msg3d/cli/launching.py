"""Options and script runner shared by `msg3d train` and `msg3d test`."""

import argparse
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from ..errors import ConfigError, MSG3DError
from .options import complete, config_names, key_value, positive

LAUNCHERS = ("none", "pytorch", "slurm", "mpi")


def add_config(parser: argparse.ArgumentParser) -> None:
    config = parser.add_argument(
        "config",
        metavar="CONFIG",
        help="config file, or the name of a shipped config (`msg3d configs`)",
    )
    complete(config, config_names)


def add_mmaction(parser: argparse.ArgumentParser) -> Callable[..., argparse.Action]:
    """Add an argument group with the common options of MMAction2's scripts.

    Returns:
        Method `add_argument` of the group, to add the other options of a script.
    """
    add = parser.add_argument_group("options of MMAction2").add_argument
    add(
        "--work-dir",
        metavar="DIR",
        help="folder for logs and checkpoints (default: work_dir of the config, or "
        "./work_dirs/CONFIG)",
    )
    add(
        "--cfg-options",
        nargs="+",
        type=key_value,
        metavar="KEY=VALUE",
        help="override entries of the config, such as optim_wrapper.optimizer.lr=0.05 or "
        'train_dataloader.batch_size=8; write lists as KEY="[a,b]"',
    )
    return add


def add_launcher(parser: argparse.ArgumentParser) -> None:
    """Add an argument group with the options of mim's launchers."""
    add = parser.add_argument_group(
        "launcher",
        "These are the options of mim. Without a launcher, a single process runs.",
    ).add_argument
    add(
        "-l",
        "--launcher",
        choices=LAUNCHERS,
        default="none",
        help="pytorch starts torchrun, and slurm starts srun. Use mpi if mpirun starts "
        "this command (default: none)",
    )
    add(
        "-G",
        "--gpus",
        type=positive,
        default=1,
        metavar="N",
        help="total number of processes (default: 1)",
    )
    add(
        "-g",
        "--gpus-per-node",
        type=positive,
        metavar="N",
        help="processes per node (slurm, required)",
    )
    add("-p", "--partition", metavar="NAME", help="partition (slurm, required)")
    add(
        "-c",
        "--cpus-per-task",
        type=positive,
        default=2,
        metavar="N",
        help="CPU cores per process (slurm, default: 2)",
    )
    add(
        "--srun-args",
        default="",
        metavar="ARGS",
        help='further options of srun, such as --srun-args="--qos=high --time=8:00:00"',
    )
    add("--port", type=positive, help="port of the first process (default: random)")
    add("-y", "--yes", action="store_true", help="ignored, for compatibility with mim")


def run_script(
    script: str,
    args: argparse.Namespace,
    options: Iterable[str],
    first: Sequence[str] = (),
) -> int:
    """Run MMAction2's `train.py` or `test.py` in this process or under a launcher.

    Args:
        script: "train" or "test".
        args: parsed arguments of the command.
        options: names of the options to pass to the script, such as "--work-dir".
        first: positional arguments of the script after the config.

    Returns:
        The exit status.

    Raises:
        MSG3DError: the script failed with an error that the user can fix.
    """
    from ..apis import launch
    from ..apis.config_files import find_config

    config = str(find_config(args.config))
    names = ("gpus", "gpus_per_node", "cpus_per_task", "partition", "srun_args", "port")
    launcher = launch.Launch(
        args.launcher, **{name: getattr(args, name) for name in names}
    )
    # Under a launcher, the results of a test are only in the log, so keep its level.
    if args.quiet and (script == "train" or launcher.in_process()):
        args.cfg_options = [*(args.cfg_options or []), "log_level=WARNING"]
    arguments = [*first, *_arguments(args, options)]
    if not launcher.in_process():
        command = launcher.command(script, config, arguments)
        status, text = launch.run_processes(command, args.port, args.debug)
        if text:
            raise MSG3DError(text, kind="config")
        if status in (-2, 130):  # only the launcher received Ctrl-C
            raise KeyboardInterrupt
        return status if status >= 0 else 128 - status
    try:
        launch.run_in_process(script, config, arguments, args.launcher)
    except Exception as error:
        return _handle(error, args.debug)
    if args.quiet and os.environ.get("RANK", "0") == "0":
        results = launch.results("test" if script == "test" else "val")
        if results:
            print(*(f"{name}: {value:.4f}" for name, value in results.items()))
    return 0


def _arguments(args: argparse.Namespace, options: Iterable[str]) -> list[str]:
    """Return the values of options as arguments for a script."""
    words = []
    for option in options:
        value: Any = getattr(args, option.removeprefix("--").replace("-", "_"))
        if value is True:
            words.append(option)
        elif isinstance(value, list):
            words += [option, *value]
        elif value is not None and value is not False:
            words += [option, str(value)]
    return words


def _handle(error: Exception, debug: bool) -> int:
    """Raise an error of a script, as an `MSG3DError` if the user can fix it.

    If another process prints the error, return exit status 1 instead.
    """
    from ..engine.endings import pass_on
    from ..engine.sentences import is_interruption, sentence

    sys.stdout.flush()
    if is_interruption(error):
        raise KeyboardInterrupt from error
    text = sentence(error)
    if text is None or debug:
        raise error
    if os.environ.get("RANK") and pass_on(text):
        return 1
    if isinstance(error, MSG3DError):
        raise error
    raise ConfigError(text, kind="config") from error
