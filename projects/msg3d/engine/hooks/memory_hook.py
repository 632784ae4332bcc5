"""Reuse of freed memory in training on a CPU."""

import ctypes
import sys

import torch
from mmaction.registry import HOOKS
from mmengine.hooks import Hook
from mmengine.runner import Runner

# Parameters of glibc's mallopt(3), with the values that disable them.
TRIM_THRESHOLD, NEVER = -1, -1
MMAP_MAX, NO_BLOCKS = -4, 0


@HOOKS.register_module()
class ReuseMemoryHook(Hook):
    """Keep freed memory in the process in training and testing on a CPU.

    glibc returns large freed blocks to the system. When a step allocates them again, every
    4 kB causes a page fault, which takes up to a tenth of the step. Does nothing on a GPU
    and without glibc.
    """

    def before_run(self, runner: Runner) -> None:
        if next(runner.model.parameters(), torch.empty(0)).device.type == "cpu":
            keep_freed_memory()


def keep_freed_memory() -> bool:
    """Let the allocator keep freed memory, for the rest of the process.

    Returns:
        Whether glibc accepted the settings.
    """
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    return bool(mallopt(TRIM_THRESHOLD, NEVER) and mallopt(MMAP_MAX, NO_BLOCKS))
