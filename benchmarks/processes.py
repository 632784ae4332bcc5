"""Child processes, and their resource usage on Linux."""

import json
import multiprocessing
import os
import re
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from unittest.mock import patch

import torch
import torch.distributed as dist
import torch.multiprocessing as mp


class ProcessError(RuntimeError):
    """A child process failed. The message is its exception."""


@contextmanager
def exit_on_signal(name: str, advice: str = "") -> Iterator[None]:
    """Exit with a one-line message after Ctrl-C or SIGTERM.

    Args:
        name: name of the program.
        advice: how to continue, added to the message.

    Raises:
        SystemExit: 130 after Ctrl-C, 143 after SIGTERM.
    """

    def leave(number: int, frame) -> None:
        raise KeyboardInterrupt(143)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    except KeyboardInterrupt as error:
        print(f"{name}: interrupted{advice and f'; {advice}'}", file=sys.stderr)
        raise SystemExit(*error.args or [130]) from None
    finally:
        signal.signal(signal.SIGTERM, before)


def run(function: Callable[[dict], object], task: dict, count: int = 1) -> list:
    """Call a function in new processes.

    Args:
        function: module-level function that receives the task and returns JSON data.
        task: argument of the function. `threads` (torch threads) and `device` are
            optional.
        count: number of processes. Several processes form a gloo group.

    Returns:
        The result of each process.

    Raises:
        ProcessError: a process failed.
    """
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        env = {"OMP_NUM_THREADS": str(task.get("threads", 1)), "TMPDIR": folder}
        env["PYTHONWARNINGS"] = "ignore::UserWarning"  # as in the parent
        if task.get("device", "cpu") == "cpu":
            env["CUDA_VISIBLE_DEVICES"] = "-1"
        # Children ignore Ctrl-C until they have their own process groups.
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        with patch.dict(os.environ, env):
            arguments = function, task, count, folder
            context = mp.spawn(_call, arguments, count, join=False)
        signal.signal(signal.SIGINT, before)
        try:
            while not context.join():
                pass
        except (mp.ProcessRaisedException, mp.ProcessExitedException) as error:
            raise ProcessError(str(error).strip().splitlines()[-1]) from None
        finally:
            for process in context.processes:
                _end(process)
        files = [Path(folder) / f"{rank}.json" for rank in range(count)]
        return [json.loads(file.read_text(encoding="utf-8")) for file in files]


def _end(process) -> None:
    """Kill a running process and its workers."""
    if process.is_alive():
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            process.kill()  # It has no process group yet.
        process.join()


def _call(rank: int, function, task: dict, count: int, folder: str) -> None:
    """Run the function in a child process, and discard its output, such as logs."""
    os.setpgrp()
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    multiprocessing.set_start_method(
        "fork", force=True
    )  # the default of data loader workers
    log = os.open(os.devnull, os.O_WRONLY)
    os.dup2(log, 1)
    os.dup2(log, 2)
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    if count > 1:
        url = f"file://{folder}/rendezvous"
        dist.init_process_group("gloo", url, rank=rank, world_size=count)
    Path(folder, f"{rank}.json").write_text(
        json.dumps(function(task)), encoding="utf-8"
    )
    if count > 1:
        dist.barrier()
        dist.destroy_process_group()


def processes() -> list[int]:
    """Return the ids of this process and of its workers."""
    return [os.getpid(), *(child.pid for child in multiprocessing.active_children())]


def memory(process: int, field: str) -> float:
    """Return `Rss`, `Pss`, or `Pss_Anon` of a process in MiB.

    `Pss` divides shared pages by the number of processes that share them. `Pss_Anon` is
    the part of `Pss` without files, which does not depend on other programs.
    """
    return _read(f"/proc/{process}/smaps_rollup", field)


def status(field: str, process: int | str = "self") -> float:
    """Return `VmRSS`, its peak `VmHWM`, or `RssAnon` of a process in MiB.

    `RssAnon` is the resident memory without files, such as the page cache.
    """
    return _read(f"/proc/{process}/status", field)


@contextmanager
def peak_memory(process: int | str) -> Iterator[list[float]]:
    """Measure the peak of `RssAnon` of a process, every 20 ms.

    Args:
        process: id of the process, or `self`.

    Yields:
        List with the peak so far in MiB.
    """
    peak, done = [0.0], threading.Event()

    def watch() -> None:
        while not done.wait(0.02):
            # A process that has ended has no memory, or is gone.
            with suppress(OSError, TypeError):
                peak[0] = max(peak[0], status("RssAnon", process))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield peak
    finally:
        done.set()
        watcher.join()


def _read(file: str, field: str) -> float:
    text = Path(file).read_text(encoding="utf-8")
    return int(re.search(rf"^{field}:\s*(\d+)", text, re.MULTILINE)[1]) / 1024
