"""What `import mmaction.models` and MMAction2's transforms stumble over."""

import importlib.metadata
import importlib.util
import sys
import types
from pathlib import Path

DRN = "mmaction.models.localizers.drn"


def provide_importlib_metadata() -> None:
    """MMAction2 imports `importlib_metadata` without asking for it.

    `mmaction.utils.dependency` wants two names of it, which the standard library has
    too. mim hides the lack: pkg_resources brings a copy.
    """
    if importlib.util.find_spec("importlib_metadata") is None:
        sys.modules["importlib_metadata"] = importlib.metadata


def provide_drn() -> None:
    """The wheel of MMAction2 1.2.0 lacks a module that it imports.

    `mmaction.models.localizers` imports `.drn.drn`, a folder without `__init__.py`
    that was left out (open-mmlab/mmaction2#2714). A stand-in takes its place; only who
    builds a DRN sees an error.

    Raises:
        ImportError: there is no MMAction2.
    """
    spec = importlib.util.find_spec("mmaction")
    if spec is None:
        raise ImportError(
            "msg3d finds no MMAction2: install it, pip install mmaction2==1.2.0"
        )
    folder = Path(spec.submodule_search_locations[0], *DRN.split(".")[1:])
    if folder.is_dir() or DRN in sys.modules:
        return
    package, module = types.ModuleType(DRN), types.ModuleType(f"{DRN}.drn")
    package.__path__ = []
    module.__getattr__ = _registered_drn
    sys.modules[package.__name__], sys.modules[module.__name__] = package, module


def _registered_drn(name: str) -> type:
    """The stand-in's class; made when asked for, since the registry imports mmcv."""
    if name != "DRN":
        raise AttributeError(name)
    from mmaction.registry import MODELS

    class DRN:
        """Stands in for MMAction2's temporal localiser."""

        def __init__(self, *args, **kwargs) -> None:
            raise ImportError(
                "DRN is missing from the wheel of MMAction2 1.2.0: install MMAction2 "
                "from its repository to build one"
            )

    return MODELS.get("DRN") or MODELS.register_module(module=DRN)


def provide_numpy_inf() -> None:
    """PoseCompact and MMCompact say `np.Inf`, which NumPy 2 took away."""
    import numpy as np

    if not hasattr(np, "Inf"):
        np.Inf = np.inf


def excuse_multimodal() -> None:
    """A `transformers` in the environment must not make MMAction2 want timm.

    Where transformers is installed, `mmaction.models` imports its video-language
    models, which want timm, and names that later transformers dropped; if one is
    missing, nothing of `mmaction.models` can be imported. MMAction2's own placeholders,
    meant for an environment without transformers, serve here too.
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
