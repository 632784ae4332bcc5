"""Processes that end with the launcher that started them."""

import ctypes
import os
import signal
import sys
from pathlib import Path

from .replace import replace

PR_SET_PDEATHSIG = 1  # linux/prctl.h


def end_with_launcher() -> None:
    """Ranks outlive a `torchrun` that is killed, and train on to the last epoch.

    torchrun ends its ranks when it is told to leave, which SIGKILL does not do, nor the
    kernel's when memory is short. A run resumed then shares its work_dir with them.
    """
    from mmengine.runner import runner

    if sys.platform == "linux":
        replace(runner, "init_dist", _tied)


def _tied(init_dist):
    def init(launcher, *args, **kwargs):
        if launcher == "pytorch":
            tie_to_launcher()
        return init_dist(launcher, *args, **kwargs)

    return init


def tie_to_launcher() -> None:
    """Has the kernel kill this process (SIGKILL) when the torchrun above it ends.

    A process that no torchrun started is left alone: it may outlive its shell. Linux
    only. To be called before the processes join: joining goes through torchrun's store,
    so one whose torchrun has ended before this call does not get any further.
    """
    if "TORCHELASTIC_RUN_ID" not in os.environ or sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if _adopted():
        os.kill(os.getpid(), signal.SIGKILL)


def _adopted() -> bool:
    """Whether init is the parent: the launcher has died before it could be watched.

    In a container torchrun itself may be process 1; it is a Python program.
    """
    init = Path("/proc/1/cmdline").read_bytes()
    return os.getppid() == 1 and b"python" not in init
