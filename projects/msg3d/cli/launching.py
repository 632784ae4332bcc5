"""Options and execution that `msg3d train` and `msg3d test` share."""

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


def add_passed(parser: argparse.ArgumentParser) -> Callable[..., argparse.Action]:
    """Add the options of both scripts of MMAction2.

    Returns:
        `add_argument` of a group, for the options of one script.
    """
    add = parser.add_argument_group("options of MMAction2").add_argument
    add(
        "--work-dir",
        metavar="DIR",
        help="folder of logs and checkpoints (default: the config's, or "
        "./work_dirs/CONFIG)",
    )
    add(
        "--cfg-options",
        nargs="+",
        type=key_value,
        metavar="KEY=VALUE",
        help="change entries of the config, such as optim_wrapper.optimizer.lr=0.05 or "
        'train_dataloader.batch_size=8; lists as KEY="[a,b]"',
    )
    return add


def add_launcher(parser: argparse.ArgumentParser) -> None:
    """Add mim's options, with the same letters."""
    add = parser.add_argument_group(
        "launcher",
        "Options of `mim train` and `mim test`. Without a launcher, there is one process.",
    ).add_argument
    add(
        "-l",
        "--launcher",
        choices=LAUNCHERS,
        default="none",
        help="none; pytorch, which starts torchrun; slurm, which starts srun; or mpi, "
        "if mpirun starts this command",
    )
    add("-G", "--gpus", type=positive, default=1, metavar="N", help="all processes")
    add(
        "-g",
        "--gpus-per-node",
        type=positive,
        metavar="N",
        help="processes per node (slurm, required)",
    )
    add("-p", "--partition", metavar="NAME", help="of the cluster (slurm, required)")
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
        help='more options of srun: --srun-args="--qos=high --time=8:00:00"',
    )
    add("--port", type=positive, help="of the first process (default: random)")
    add("-y", "--yes", action="store_true", help="ignored, for compatibility with mim")


def run_script(
    script: str,
    args: argparse.Namespace,
    options: Iterable[str],
    first: Sequence[str] = (),
) -> int:
    """Run a script of MMAction2, here or under a launcher.

    Args:
        script: `train` or `test`.
        args: of the command.
        options: those that are passed to the script.
        first: arguments of the script before its options.

    Returns:
        The exit status.

    Raises:
        MSG3DError: an error that the user can fix.
    """
    from ..apis import launch
    from ..apis.config_files import find_config

    config = str(find_config(args.config))
    names = ("gpus", "gpus_per_node", "cpus_per_task", "partition", "srun_args", "port")
    plan = launch.Launch(args.launcher, **{name: getattr(args, name) for name in names})
    # Under a launcher, the results of a test are in the log.
    if args.quiet and (script == "train" or plan.is_here()):
        args.cfg_options = [*(args.cfg_options or []), "log_level=WARNING"]
    arguments = [*first, *_arguments(args, options)]
    if not plan.is_here():
        command = plan.command(script, config, arguments)
        status, text = launch.run_processes(command, args.port, args.debug)
        if text:
            raise MSG3DError(text, kind="config")
        if status in (-2, 130):  # the launcher alone received Ctrl-C
            raise KeyboardInterrupt
        return status if status >= 0 else 128 - status
    try:
        launch.run_here(script, config, arguments, args.launcher)
    except Exception as error:
        return _end(error, args.debug)
    if args.quiet and os.environ.get("RANK", "0") == "0":
        results = launch.results("test" if script == "test" else "val")
        if results:
            print(*(f"{name}: {value:.4f}" for name, value in results.items()))
    return 0


def _arguments(args: argparse.Namespace, options: Iterable[str]) -> list[str]:
    """Write options as a command line."""
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


def _end(error: Exception, debug: bool) -> int:
    """Raise the sentence of an error if there is one, or else the error."""
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
