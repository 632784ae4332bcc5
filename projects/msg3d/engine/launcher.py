"""End the processes of a run together with the launcher that started them."""

import ctypes
import os
import signal
import sys
from pathlib import Path

PR_SET_PDEATHSIG = 1  # linux/prctl.h


def tie_to_launcher() -> None:
    """Let the kernel kill this process (SIGKILL) when the torchrun above it ends.

    A process that no torchrun started is left alone: it may outlive its shell. Linux
    only. Call this before the processes join: joining needs torchrun's store, so a
    process whose torchrun ended before this call cannot continue.
    """
    if "TORCHELASTIC_RUN_ID" not in os.environ or sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if _adopted():
        os.kill(os.getpid(), signal.SIGKILL)


def _adopted() -> bool:
    """Whether init is the parent: the launcher died before it could be watched.

    In a container torchrun itself may be process 1; it is a Python program.
    """
    init = Path("/proc/1/cmdline").read_bytes()
    return os.getppid() == 1 and b"python" not in init
