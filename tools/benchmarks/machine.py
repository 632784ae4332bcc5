"""What the figures were measured on."""

import datetime
import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path

import torch

REPOSITORY = Path(__file__).resolve().parents[2]
PACKAGES = ("torch", "numpy", "mmengine", "mmaction2", "msg3d")


def describe(device: str) -> dict:
    """Processor, cores, threads, GPU, versions, commit and date."""
    try:
        usable = len(os.sched_getaffinity(0))
    except AttributeError:  # Linux only
        usable = os.cpu_count()
    return {
        "cpu": _cpu_name(),
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "cores": os.cpu_count(),
        "cores usable": usable,
        "threads": torch.get_num_threads(),
        "load at the start": round(os.getloadavg()[0], 2),
        "device": device,
        "gpu": torch.cuda.get_device_name() if device == "cuda" else None,
        "python": platform.python_version(),
        **{name: _version(name) for name in PACKAGES},
        "commit": _commit(),
        "date": datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
    }


def _cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if "model name" in line]
    return names[0] if names else platform.processor() or platform.machine()


def _version(package: str) -> str | None:
    if package == "torch":  # its metadata leave the build out
        return torch.__version__
    if package == "msg3d":  # may be a checkout that was never installed
        import msg3d

        return msg3d.__version__
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _commit() -> str | None:
    """As `git describe` would end it: with `-dirty` if tracked files were changed."""
    git = ["git", "describe", "--always", "--abbrev=12", "--dirty", "--exclude=*"]
    try:
        done = subprocess.run(git, cwd=REPOSITORY, capture_output=True, text=True)
    except OSError:
        return None
    return done.stdout.strip() or None
