"""Page faults of repeated allocations with and without ReuseMemoryHook's setting."""

import platform
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import user_env

CODE = """
import resource
import torch
from msg3d.engine.hooks.memory_hook import keep_freed_memory

if {reuse}:
    assert keep_freed_memory()

def faults(steps):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(steps):
        torch.zeros(10, 2**20).sum()
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

faults(1)
print(faults(20))
"""


HUGE_PAGES = Path("/sys/kernel/mm/transparent_hugepage/enabled")


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="requires glibc")
@pytest.mark.skipif(
    HUGE_PAGES.exists() and "[always]" in HUGE_PAGES.read_text(encoding="ascii"),
    reason="huge pages are always used",
)
def test_memory_is_reused():
    """Each step allocates 40 MiB, which is 10,240 pages of 4 kB."""
    counts = []
    for reuse in (False, True):
        result = subprocess.run(
            [sys.executable, "-c", CODE.format(reuse=reuse)],
            env=user_env() | {"PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        )
        counts.append(int(result.stdout.split()[-1]))
    assert counts[0] > 10 * max(counts[1], 1000)
