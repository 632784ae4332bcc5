"""Versions of the packages, and fixes for importing `mmaction.models`."""

import importlib.metadata
import importlib.util
import sys
import types
from pathlib import Path

from packaging.version import Version

DRN = "mmaction.models.localizers.drn"
# package: lowest version that works, first that does not
WORKING = {
    "torch": ("2.6", None),  # before 2.6, torch.load ran what a checkpoint asked for
    "mmengine": ("0.10.7", "0.11"),
    "mmcv": ("2.0.0", "2.2"),  # from 2.2 on `import mmaction` fails an assertion
    "mmcv-lite": ("2.0.0", "2.2"),
    "mmaction2": ("1.2.0", "1.3"),
}


def installed(package: str) -> str | None:
    """Return the version of a package, or None."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def check_versions() -> None:
    """Check the metadata of the installed packages, before anything breaks.

    Raises:
        ImportError: a version is unsupported, or mmcv or MMAction2 is missing.
    """
    versions = {package: installed(package) for package in WORKING}
    for package, version in versions.items():
        lowest, beyond = WORKING[package]
        supported = f"{package}>={lowest}" + (f",<{beyond}" if beyond else "")
        if version is None:
            # torch or MMAction2 run from sources may have no metadata.
            continue
        public = Version(Version(version).base_version)  # 2.13.0+cpu, 2.7.0a0+git
        if public < Version(lowest) or (beyond and public >= Version(beyond)):
            raise ImportError(
                f"msg3d does not support {package} {version}: install a supported "
                f'version, pip install "{supported}"'
            )
    if versions["mmcv"] is None and versions["mmcv-lite"] is None:
        raise ImportError('mmcv is not installed: pip install "mmcv-lite>=2.0.0,<2.2"')


def provide_importlib_metadata() -> None:
    """Provide `importlib_metadata`, which MMAction2 imports but does not require.

    `mmaction.utils.dependency` uses two names of it, which the standard library has
    too. mim hides the problem: pkg_resources contains a copy.
    """
    if importlib.util.find_spec("importlib_metadata") is None:
        sys.modules["importlib_metadata"] = importlib.metadata


def provide_drn() -> None:
    """Provide a module that the wheel of MMAction2 1.2.0 imports but lacks.

    `mmaction.models.localizers` imports `.drn.drn`, a folder without `__init__.py`
    that was left out (open-mmlab/mmaction2#2714). A stand-in takes its place, and
    raises an error only if a DRN is built.

    Raises:
        ImportError: MMAction2 is not installed.
    """
    spec = importlib.util.find_spec("mmaction")
    if spec is None:
        raise ImportError("MMAction2 is not installed: pip install mmaction2==1.2.0")
    folder = Path(spec.submodule_search_locations[0], *DRN.split(".")[1:])
    if folder.is_dir() or DRN in sys.modules:
        return
    package, module = types.ModuleType(DRN), types.ModuleType(f"{DRN}.drn")
    package.__path__ = []
    module.__getattr__ = _registered_drn
    sys.modules[package.__name__], sys.modules[module.__name__] = package, module


def _registered_drn(name: str) -> type:
    """The stand-in's class; created on demand, since the registry imports mmcv."""
    if name != "DRN":
        raise AttributeError(name)
    from mmaction.registry import MODELS

    class DRN:
        """Stands in for MMAction2's temporal localizer."""

        def __init__(self, *args, **kwargs) -> None:
            raise ImportError(
                "DRN is missing from the wheel of MMAction2 1.2.0: install MMAction2 "
                "from its repository to build one"
            )

    return MODELS.get("DRN") or MODELS.register_module(module=DRN)


def provide_numpy_inf() -> None:
    """Provide `np.Inf` for PoseCompact and MMCompact; NumPy 2 removed it."""
    import numpy as np

    if not hasattr(np, "Inf"):
        np.Inf = np.inf


def excuse_multimodal() -> None:
    """Let MMAction2 import with transformers installed but without timm.

    If transformers is installed, `mmaction.models` imports its video-language models,
    which require timm, and names that later transformers dropped; if one is missing,
    `mmaction.models` cannot be imported at all. MMAction2's own placeholders for an
    environment without transformers are used in this case too.
    """
    from mmaction.utils import dependency

    if not dependency.WITH_MULTIMODAL:
        return
    try:
        import mmaction.models
    except (ImportError, AttributeError):
        from mmaction.registry import MODELS

        # Some may have been registered before the import broke.
        for name, part in list(MODELS.module_dict.items()):
            if part.__module__.startswith("mmaction.models.multimodal"):
                del MODELS.module_dict[name]
        dependency.WITH_MULTIMODAL = False
        import mmaction.models  # noqa: F401
