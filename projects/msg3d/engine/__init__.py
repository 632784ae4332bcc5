"""Hooks for MMEngine's runner, and wrappers where it offers no hook."""

__all__ = [
    "CheckDataHook",
    "FiniteLossHook",
    "FreezeParametersHook",
    "PreemptionHook",
    "StepSeedHook",
    "WholeCheckpointHook",
]


def __getattr__(name: str):
    # The wrappers come with `import msg3d`, before torch; the hooks need it.
    if name in __all__:
        from . import hooks

        return getattr(hooks, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
