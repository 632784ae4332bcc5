"""Hooks for MMEngine's runner, and patches where no hook exists."""

from typing import Any


def __getattr__(name: str) -> Any:
    # `import msg3d` imports the wrappers without torch, which the hooks require.
    if name.endswith("Hook"):
        from . import hooks

        return getattr(hooks, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
