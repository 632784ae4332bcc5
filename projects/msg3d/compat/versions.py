"""Version checks of the required packages."""

import importlib.util
import sys

from .fixes import installed

__all__ = ["check_installed", "check_versions"]

# package -> supported versions
WORKING = {
    "torch": ">=2.6",  # before 2.6, torch.load executed code in checkpoints
    "mmengine": ">=0.10.7,<0.11",
    "mmcv": ">=2.0.0,<2.2",  # with 2.2 and later, an assertion in mmaction fails
    "mmaction2": ">=1.2.0,<1.3",
}
# module -> (recommended distribution, package in WORKING)
MODULES = {
    "torch": ("torch", "torch"),
    "mmengine": ("mmengine", "mmengine"),
    "mmcv": ("mmcv-lite", "mmcv"),
    "mmaction": ("mmaction2", "mmaction2"),
}


def check_versions() -> None:
    """Check the versions of the installed packages.

    Raises:
        ImportError: a version is unsupported.
    """
    from packaging.specifiers import SpecifierSet
    from packaging.version import Version

    for package, limits in WORKING.items():
        for name, version in installed(package).items():
            public = Version(version).base_version  # 2.13.0+cpu, 2.7.0a0+git
            if not SpecifierSet(limits).contains(public):
                advised = "mmcv-lite" if name == "onedl-mmcv" else name
                raise ImportError(
                    f"msg3d does not support {name} {version}. Install a supported "
                    f'version: pip install "{advised}{limits}"'
                )


def check_installed() -> None:
    """Check that PyTorch, MMEngine, mmcv, and MMAction2 are installed.

    Raises:
        ImportError: a package is missing.
    """
    for module, (advised, package) in MODULES.items():
        if module not in sys.modules and importlib.util.find_spec(module) is None:
            raise ImportError(
                f"{module} is not installed. Training and unexported networks require "
                f'it. Install it: pip install "{advised}{WORKING[package]}"'
            )
