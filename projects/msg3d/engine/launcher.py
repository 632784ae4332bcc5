"""Termination of processes whose launcher has died."""

import ctypes
import os
import signal
import sys
from pathlib import Path

PR_SET_PDEATHSIG = 1  # linux/prctl.h


def tie_to_launcher() -> None:
    """Let the kernel kill this process (SIGKILL) when its torchrun ends.

    Processes not started by torchrun are unaffected and may outlive their shell. Linux
    only. Call this before initializing the process group, which requires torchrun's
    store. A process whose torchrun ended before this call therefore cannot continue.
    """
    if "TORCHELASTIC_RUN_ID" not in os.environ or sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if _adopted():
        os.kill(os.getpid(), signal.SIGKILL)


def _adopted() -> bool:
    """Return whether the launcher died earlier and init adopted this process.

    In a container, torchrun itself may be process 1. It is a Python program.
    """
    init = Path("/proc/1/cmdline").read_bytes()
    return os.getppid() == 1 and b"python" not in init
