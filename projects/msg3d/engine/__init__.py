"""Hooks for MMEngine's runner, and wrappers where it offers no hook."""

from typing import Any


def __getattr__(name: str) -> Any:
    # The wrappers come with `import msg3d`, before torch; the hooks need it.
    if name.endswith("Hook"):
        from . import hooks

        return getattr(hooks, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
