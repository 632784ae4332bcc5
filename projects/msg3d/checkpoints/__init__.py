"""Reading, conversion, and rewriting of checkpoints."""

from importlib import import_module
from typing import Any

from ..errors import CheckpointError

__all__ = [
    "CheckpointError",
    "convert_back",
    "convert_checkpoint",
    "is_published",
    "rewrite",
]


def __getattr__(name: str) -> Any:
    if name in __all__:  # imports torch and MMAction2
        return getattr(import_module(".convert", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
