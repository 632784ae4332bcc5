"""MS-G3D for skeleton-based action recognition, on MMAction2.

`import msg3d` imports neither torch nor MMEngine. Registration and compatibility fixes
run when a program imports these packages, in any order (`compat.on_import`).
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

# Registry of MMAction2 -> module that registers its classes there.
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
    """Make each registry import our modules together with MMAction2's."""
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
