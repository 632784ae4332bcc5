"""Runner for MMAction2's `train.py` and `test.py`, in this process or under a launcher.

The command lines are the same as those of mim. In addition, child processes pass their
error message to this process, which prints it last (`engine.endings`).
"""

import os
import random
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from ..engine.endings import DEBUG, FILE
from ..errors import ConfigError

TOOLS = Path(__file__).parents[1] / ".mim" / "tools"
# Launcher -> environment variable that it sets in the processes that it starts.
STARTED = {"pytorch": "TORCHELASTIC_RUN_ID", "slurm": "SLURM_STEP_ID"}
GRACE = 30  # seconds to wait after Ctrl-C
FORWARDED = ("SIGTERM", "SIGUSR1", "SIGUSR2", "SIGHUP")


@dataclass(frozen=True)
class Launch:
    """Launcher of a training or test run.

    Attributes:
        launcher: "none", "pytorch", "slurm", or "mpi".
        gpus: total number of processes.
        gpus_per_node, cpus_per_task, partition, srun_args: options of `srun`.
        port: port of the first process; None for a random port.
    """

    launcher: str = "none"
    gpus: int = 1
    gpus_per_node: int | None = None
    cpus_per_task: int = 2
    partition: str | None = None
    srun_args: str = ""
    port: int | None = None

    def in_process(self) -> bool:
        """Return whether the script runs in this process.

        This is the case for "none" and "mpi", or if the launcher started this process.
        """
        name = STARTED.get(self.launcher)
        return name is None or name in os.environ

    def command(self, script: str, config: str, arguments: Sequence[str]) -> list[str]:
        """Return the command line of torchrun or srun that starts all processes.

        Args:
            script: "train" or "test".
            config: path of the config.
            arguments: further arguments of the script.

        Raises:
            ConfigError: a required option is missing (kind `option`), or `srun` is not
                installed (kind `missing-package`).
        """
        run = [str(TOOLS / f"{script}.py"), config, *arguments]
        run += ["--launcher", self.launcher]
        if self.launcher == "pytorch":
            torchrun = [sys.executable, "-m", f"{__package__}.torchrun"]
            port = self.port or random.SystemRandom().randint(20000, 30000)
            processes = [f"--nproc_per_node={self.gpus}", f"--master_port={port}"]
            return [*torchrun, *processes, *run]
        if self.partition is None or self.gpus_per_node is None:
            raise ConfigError(
                "--launcher slurm requires --partition and --gpus-per-node. Pass both "
                "options.",
                kind="option",
            )
        if shutil.which("srun") is None:
            raise ConfigError(
                "--launcher slurm requires Slurm, but srun is not installed. Run the "
                "command on a machine with Slurm, or choose another launcher.",
                kind="missing-package",
            )
        srun_args = shlex.split(self.srun_args)
        if not any(arg.startswith(("--job-name", "-J")) for arg in srun_args):
            srun_args.append(f"--job-name={Path(config).stem}_{script}")
        return [
            "srun",
            f"--partition={self.partition}",
            f"--gres=gpu:{self.gpus_per_node}",
            f"--ntasks={self.gpus}",
            f"--ntasks-per-node={self.gpus_per_node}",
            f"--cpus-per-task={self.cpus_per_task}",
            "--kill-on-bad-exit=1",
            *srun_args,
            sys.executable,
            "-u",
            *run,
        ]


def run_in_process(
    script: str, config: str, arguments: Sequence[str], launcher: str
) -> None:
    """Run `train.py` or `test.py` in this process and propagate its exceptions.

    Args:
        script: "train" or "test".
        config: path of the config.
        arguments: further arguments of the script.
        launcher: launcher that started this process.
    """
    # Imported before `sys.argv` names the script. Otherwise, the ending of scripts would
    # replace that of this command (`engine.wrappers.end_in_one_sentence`).
    import mmengine.runner  # noqa: F401

    from .mmaction_tools import run_script, tool_path

    argv, path = sys.argv[:], tool_path(f"{script}.py")
    sys.argv[1:] = [config, *arguments, "--launcher", launcher]
    try:
        run_script(path)
    finally:
        sys.argv[:] = argv


def results(stage: str) -> dict[str, float]:
    """Return the latest value of each metric of the run in this process.

    Args:
        stage: "val" or "test".

    Returns:
        Dictionary from metric names, such as "acc/top1", to values.
    """
    from mmengine.logging import MessageHub

    scalars = MessageHub.get_current_instance().log_scalars
    return {
        name.removeprefix(f"{stage}/"): float(history.current())
        for name, history in scalars.items()
        if name.startswith(f"{stage}/") and not name.endswith("time")
    }


def run_processes(
    command: Sequence[str], port: int | None, debug: bool
) -> tuple[int, str]:
    """Run a launcher and wait until it exits.

    Signals of a scheduler to this process are forwarded to the launcher.

    Args:
        command: command line from `Launch.command`.
        port: port of the first Slurm process; None for a random port.
        debug: whether the processes print tracebacks.

    Returns:
        The exit status, and the message of the first error that the user can fix. The
        message is empty if no process reported an error.
    """
    # Slurm nodes share the current folder, but not /tmp.
    shared = "." if command[0] == "srun" and os.access(".", os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix=".msg3d-", dir=shared) as folder:
        ending = Path(folder, "ending").absolute()
        env = dict(os.environ, **{FILE: str(ending)})
        env["MASTER_PORT"] = str(port or random.SystemRandom().randint(20000, 30000))
        if debug:
            env[DEBUG] = "1"
        process = subprocess.Popen(command, env=env)
        try:
            with _forwarding(process):
                status = process.wait()
        except KeyboardInterrupt:
            _interrupt(process, command[0] == "srun")
            raise
        return status, ending.read_text("utf-8") if ending.exists() else ""


def _interrupt(process: subprocess.Popen[bytes], again: bool) -> None:
    """Wait for a launcher that has also received Ctrl-C, and kill it after `GRACE`.

    Args:
        process: the launcher.
        again: whether to send a second SIGINT.
    """
    if again:  # srun terminates at the second SIGINT
        process.send_signal(signal.SIGINT)
    try:
        process.wait(GRACE)
    except (subprocess.TimeoutExpired, KeyboardInterrupt):
        process.kill()
        process.wait()


@contextmanager
def _forwarding(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Forward `FORWARDED`, the signals of schedulers, to a process."""

    def forward(number: int, frame: FrameType | None) -> None:
        process.send_signal(number)

    numbers = [getattr(signal, name) for name in FORWARDED if hasattr(signal, name)]
    before = {number: signal.signal(number, forward) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
