"""How a mend takes the place of a function: once, and recognisably."""

import functools
from collections.abc import Callable
from typing import Any


def replace(owner: Any, name: str, build: Callable[[Callable], Callable]) -> None:
    """Puts `build(original)` in the place of `owner.name`, unless it is there already.

    Args:
        owner: a module or a class; for a class, an instance's method.
        name: of the function.
        build: makes the new function, which can call the original.
    """
    original = getattr(owner, name)
    if getattr(original, "mended_by", None) == "msg3d":
        return
    mended = functools.wraps(original)(build(original))
    mended.mended_by = "msg3d"
    setattr(owner, name, mended)
