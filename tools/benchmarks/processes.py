"""Processes that the benchmark starts, and ends if it is interrupted."""

import getpass
import os
import re
import signal
import subprocess
import sys
import tempfile
from argparse import Namespace
from pathlib import Path

from .progress import cut

BIN = Path(sys.executable).parent
GRACE = 10  # seconds that torchrun gets to end its ranks


def run(command: list[str], options: Namespace, search: Path, cwd=None):
    """Runs a command with the environment's programs, the options' threads and device.

    Args:
        command: the program and its arguments.
        options: of the command line.
        search: a folder from which Python may import.
        cwd: where to run it; here by default.

    Returns:
        The `subprocess.CompletedProcess`, with all output in `stdout`.
    """
    env = {**os.environ, "PYTHONWARNINGS": "ignore::UserWarning"}
    env["PATH"] = os.pathsep.join(filter(None, [str(BIN), env.get("PATH")]))
    folders = [str(search), env.get("PYTHONPATH")]
    env["PYTHONPATH"] = os.pathsep.join(filter(None, folders))
    env["OMP_NUM_THREADS"] = str(options.threads)
    if options.device == "cpu":
        env["CUDA_VISIBLE_DEVICES"] = "-1"
    # torch's cache of compiled code is for all processes.
    cache = Path(tempfile.gettempdir()) / f"torchinductor_{getpass.getuser()}"
    env.setdefault("TORCHINDUCTOR_CACHE_DIR", str(cache))
    # Neither torchrun nor workers that are killed remove their folders.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        env["TMPDIR"] = folder
        # A group of its own: mim starts processes, which start loaders.
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        try:
            out, _ = process.communicate()
        except BaseException:
            _end(process)
            raise
    return subprocess.CompletedProcess(command, process.returncode, out)


def _end(process: subprocess.Popen) -> None:
    """Ends a group: politely at first, since torchrun's ranks are not in it."""
    try:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(GRACE)
    except subprocess.TimeoutExpired:
        pass
    finally:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass  # all have ended
        process.wait()


def last_error(done: subprocess.CompletedProcess) -> str:
    """Why a process failed: the last exception that it printed, as one line."""
    # mim ends with an exception of its own, which only says that there was one.
    pattern = r"^(?!subprocess\.)[\w.]+(?:Error|Exception)\b.*"
    lines = re.findall(pattern, done.stdout, re.MULTILINE) or done.stdout.split("\n")
    lines = [line.strip() for line in lines if line.strip()]
    return cut(lines[-1]) if lines else f"exit code {done.returncode}"
