"""Print versions, devices, and active compatibility fixes for bug reports."""

import argparse
import contextlib
import os
import platform
import sys
from importlib import metadata
from pathlib import Path

PACKAGES = (
    *("torch", "numpy", "mmengine", "mmcv-lite", "mmcv", "mmaction2", "openmim"),
    *("onedl-mmengine", "onedl-mim", "onnxruntime", "scipy", "opencv-python"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    del parser


def run(args: argparse.Namespace) -> None:
    from .. import __file__ as package
    from .. import __version__
    from ..compat.fixes import FIXES, is_installed

    system = platform.uname()
    print(f"msg3d {__version__}, {Path(package).parent}")
    print(f"Python {platform.python_version()}, {sys.executable}")
    print(f"{system.system} {system.release} {system.machine}, {os.cpu_count()} CPUs")
    for name in PACKAGES:
        with contextlib.suppress(metadata.PackageNotFoundError):
            print(f"{name} {metadata.version(name)}")
    print("\n".join(_devices()))
    print("\ncompatibility fixes")
    for fix in FIXES:
        state = "active" if is_installed(fix.versions) else "not needed"
        print(f"    {fix.name} ({fix.versions}): {state}")


def _devices() -> list[str]:
    try:
        import torch
    except ImportError:
        return ["PyTorch is not installed. Only .onnx networks are supported."]
    lines = [
        f"cuda:{number} {torch.cuda.get_device_name(number)}"
        for number in range(torch.cuda.device_count())
    ]
    return [*lines, f"cpu {torch.backends.cpu.get_cpu_capability()}"]
