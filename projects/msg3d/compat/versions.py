"""Refuse versions of the stack that cannot work, before anything breaks."""

import importlib.util
import sys

from .fixes import installed

__all__ = ["check_installed", "check_versions"]

# package: the lowest version that works, and the first that does not
WORKING = {
    "torch": ("2.6", None),  # before 2.6, torch.load ran what a checkpoint asked for
    "mmengine": ("0.10.7", "0.11"),
    "mmcv": ("2.0.0", "2.2"),  # from 2.2 on, `import mmaction` fails an assertion
    "mmaction2": ("1.2.0", "1.3"),
}
MODULES = {
    "torch": "torch>=2.6",
    "mmengine": "mmengine>=0.10.7,<0.11",
    "mmcv": "mmcv-lite>=2.0.0,<2.2",
    "mmaction": "mmaction2==1.2.0",
}


def check_versions() -> None:
    """Check the metadata of the installed packages.

    Raises:
        ImportError: a version is unsupported.
    """
    from packaging.version import Version

    for package, (lowest, beyond) in WORKING.items():
        for name, version in installed(package).items():
            public = Version(Version(version).base_version)  # 2.13.0+cpu, 2.7.0a0+git
            if public < Version(lowest) or (beyond and public >= Version(beyond)):
                advised = "mmcv-lite" if name == "onedl-mmcv" else name
                limits = f">={lowest}" + (f",<{beyond}" if beyond else "")
                raise ImportError(
                    f"msg3d does not support {name} {version}: install a supported "
                    f'version, pip install "{advised}{limits}"'
                )


def check_installed() -> None:
    """Check that there are torch, MMEngine, mmcv, and MMAction2.

    Raises:
        ImportError: one is missing.
    """
    for module, advised in MODULES.items():
        if module not in sys.modules and importlib.util.find_spec(module) is None:
            raise ImportError(
                f"{module} is not installed. Training, and networks that are not "
                f'exported, need it: pip install "{advised}"'
            )
