"""Compatibility fixes for MMAction2 1.2.0, the last release (2023)."""

import sys
import types
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from .fixes import fix
from .replace import replace

DRN = "mmaction.models.localizers.drn"


@fix("mmaction", versions="mmaction2==1.2.0", before=True)
def provide_importlib_metadata() -> None:
    """Provide `importlib_metadata`, which MMAction2 imports but does not require.

    `mmaction.utils.dependency` uses two functions that the standard library also has.
    The problem does not occur with mim, because pkg_resources contains a copy.
    """
    import importlib.metadata

    if importlib.util.find_spec("importlib_metadata") is None:
        sys.modules["importlib_metadata"] = importlib.metadata


@fix("mmaction", versions="mmaction2==1.2.0")
def provide_drn() -> None:
    """Provide `mmaction.models.localizers.drn`, which the wheel does not contain.

    `mmaction.models.localizers` imports `.drn.drn`, a folder without `__init__.py`
    that the wheel omits (open-mmlab/mmaction2#2714). A placeholder replaces it and
    raises an error only if a DRN is built.
    """
    folder = Path(sys.modules["mmaction"].__path__[0])
    if folder.joinpath(*DRN.split(".")[1:]).is_dir() or DRN in sys.modules:
        return
    package, module = types.ModuleType(DRN), types.ModuleType(f"{DRN}.drn")
    package.__path__ = []
    vars(module).update(__getattr__=_registered_drn)
    sys.modules[package.__name__], sys.modules[module.__name__] = package, module


def _registered_drn(name: str) -> type:
    """Create the placeholder class on demand, because the registry imports mmcv."""
    if name != "DRN":
        raise AttributeError(name)
    from mmaction.registry import MODELS

    class DRN:
        """Placeholder for MMAction2's temporal localizer."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            raise ImportError(
                "DRN is missing from the wheel of MMAction2 1.2.0. To build it, "
                "install MMAction2 from its repository."
            )

    return MODELS.module_dict.get("DRN") or MODELS.register_module(module=DRN)


@fix("mmaction", versions="numpy>=2")
def provide_numpy_inf() -> None:
    """Provide `np.Inf`, removed in NumPy 2, for PoseCompact and MMCompact."""
    import numpy as np

    if not hasattr(np, "Inf"):
        vars(np).update(Inf=np.inf)


@fix("mmaction.utils.dependency", versions="transformers>=4.28")
def excuse_multimodal() -> None:
    """Make MMAction2 importable with transformers but without timm.

    If transformers is installed, `mmaction.models` imports its video-language models.
    They require timm, and functions that newer transformers versions removed. If one of
    them is missing, importing `mmaction.models` fails. In this case, MMAction2's
    placeholders for environments without transformers are used.
    """
    dependency: Any = sys.modules["mmaction.utils.dependency"]
    folder = Path(sys.modules["mmaction"].__path__[0], "models", "multimodal")
    if dependency.WITH_MULTIMODAL:
        dependency.WITH_MULTIMODAL = all(map(_exists, _imports(folder)))


def _imports(folder: Path) -> set[tuple[str, str]]:
    """Return all (module, name) that a folder imports from optional packages."""
    import ast

    return {
        (node.module, alias.name)
        for file in folder.rglob("*.py")
        for node in ast.parse(file.read_text(encoding="utf-8")).body
        if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module
        for alias in node.names
        if node.module.split(".")[0] in ("einops", "timm", "transformers")
    }


def _exists(imported: tuple[str, str]) -> bool:
    module, name = imported
    try:
        return hasattr(import_module(module), name)
    except (ImportError, AttributeError):
        return False


@fix("mmaction.models.heads.base", versions="mmaction2==1.2.0")
def allow_bfloat16_scores() -> None:
    """Convert scores to float32 before accuracy, loss, and prediction.

    BaseHead converts them to NumPy, which does not support bfloat16: `Got unsupported
    ScalarType BFloat16`.
    """
    import torch
    from mmaction.models.heads.base import BaseHead

    try:
        torch.zeros(1, dtype=torch.bfloat16).numpy()
    except TypeError:
        replace(BaseHead, "loss_by_feat", _in_float32)
        replace(BaseHead, "predict_by_feat", _in_float32)


def _in_float32(original: Callable) -> Callable:
    import torch

    def by_feat(self: Any, cls_scores: Any, *args: Any, **kwargs: Any) -> Any:
        if getattr(cls_scores, "dtype", None) == torch.bfloat16:
            cls_scores = cls_scores.float()
        return original(self, cls_scores, *args, **kwargs)

    return by_feat
