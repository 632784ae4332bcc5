"""Refuse versions of the stack that cannot work, before anything breaks."""

import importlib.util
import sys

from .fixes import installed

__all__ = ["check_installed", "check_versions"]

# package -> the versions that work
WORKING = {
    "torch": ">=2.6",  # before 2.6, torch.load ran what a checkpoint asked for
    "mmengine": ">=0.10.7,<0.11",
    "mmcv": ">=2.0.0,<2.2",  # from 2.2 on, `import mmaction` fails an assertion
    "mmaction2": ">=1.2.0,<1.3",
}
# module -> what to install, and the package above
MODULES = {
    "torch": ("torch", "torch"),
    "mmengine": ("mmengine", "mmengine"),
    "mmcv": ("mmcv-lite", "mmcv"),
    "mmaction": ("mmaction2", "mmaction2"),
}


def check_versions() -> None:
    """Check the metadata of the installed packages.

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
                    f"msg3d does not support {name} {version}: install a supported "
                    f'version, pip install "{advised}{limits}"'
                )


def check_installed() -> None:
    """Check that there are torch, MMEngine, mmcv, and MMAction2.

    Raises:
        ImportError: one is missing.
    """
    for module, (advised, package) in MODULES.items():
        if module not in sys.modules and importlib.util.find_spec(module) is None:
            raise ImportError(
                f"{module} is not installed. Training, and networks that are not "
                f'exported, need it: pip install "{advised}{WORKING[package]}"'
            )
