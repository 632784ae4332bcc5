"""MS-G3D for skeleton-based action recognition, as an MMAction2 plugin.

`import msg3d` imports neither PyTorch nor MMEngine. The classes are registered, and the
compatibility fixes applied, when a program imports PyTorch, MMEngine, and MMAction2, in
any order (`compat.on_import`).
"""

from importlib import import_module
from typing import Any

from . import compat
from .compat.on_import import start, when_imported
from .engine import wrappers  # noqa: F401  (applied when MMEngine is imported)

__version__ = "0.1.0"
__all__ = [
    "Recognizer",
    "Stream",
    "compat",
    "datasets",
    "engine",
    "evaluation",
    "models",
]

# Registry of MMAction2 -> module of msg3d that registers its classes there.
REGISTERED = {
    "DATASETS": "msg3d.datasets",
    "HOOKS": "msg3d.engine.hooks",
    "METRICS": "msg3d.evaluation.person_metric",
    "MODELS": "msg3d.models",
    "TRANSFORMS": "msg3d.datasets.transforms",
}

when_imported("mmengine", "mmaction", before=True)(compat.versions.check_versions)
when_imported("msg3d.checkpoints.convert", *REGISTERED.values(), before=True)(
    compat.versions.check_installed
)


@when_imported("mmaction.registry")
def _register() -> None:
    """Make MMAction2's registries import the modules in `REGISTERED` as well."""
    registries = import_module("mmaction.registry")
    for name, module in REGISTERED.items():
        registry = getattr(registries, name)
        if registry._imported:  # there is no public method to add a location
            import_module(module)
        else:
            registry._locations.append(module)


start()


def __getattr__(name: str) -> Any:
    if name in ("Recognizer", "Stream"):
        return getattr(import_module(".apis", __name__), name)
    if name in __all__:
        return import_module(f".{name}", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
