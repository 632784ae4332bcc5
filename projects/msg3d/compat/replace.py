"""How a mend takes the place of a function: once, and recognisably."""

import functools
from collections.abc import Callable
from typing import Any


def replace(owner: Any, name: str, build: Callable[[Callable], Callable]) -> None:
    """Puts `build(original)` in the place of `owner.name`, unless it is there already.

    What another `build` has put there is the original of this one.

    Args:
        owner: a module or a class; for a class, an instance's method.
        name: of the function.
        build: makes the new function, which can call the original.
    """
    original = getattr(owner, name)
    mends, mend = getattr(original, "mends", ()), (build.__module__, build.__name__)
    if mend in mends:
        return
    mended = functools.wraps(original)(build(original))
    mended.mended_by, mended.mends = "msg3d", (*mends, mend)
    setattr(owner, name, mended)
