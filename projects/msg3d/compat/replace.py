"""Idempotent monkey-patching."""

import functools
import sys
from collections.abc import Callable
from typing import Any


def replace(owner: Any, name: str, build: Callable[[Callable], Callable]) -> None:
    """Replace `owner.name` with `build(original)`, unless already done.

    Replacements can be nested: the original may be the result of another `build`.

    Args:
        owner: a module or a class.
        name: name of the function or instance method.
        build: callable that returns the new function for the original function.
    """
    original = getattr(owner, name)
    patches, patch = (
        getattr(original, "patches", ()),
        (build.__module__, build.__name__),
    )
    if patch in patches:
        return
    patched: Any = functools.wraps(original)(build(original))
    patched.patched_by, patched.patches = "msg3d", (*patches, patch)
    setattr(owner, name, patched)


def replace_everywhere(
    owner: Any, name: str, build: Callable[[Callable], Callable]
) -> None:
    """Replace a function of a module, including references in other modules.

    Args:
        owner: a module of MMEngine.
        name, build: see `replace`.
    """
    original = getattr(owner, name)
    replace(owner, name, build)
    for module_name, module in list(sys.modules.items()):
        patchable = module_name.startswith(("mmengine", "mmaction"))
        if patchable and vars(module).get(name) is original:
            setattr(module, name, getattr(owner, name))
