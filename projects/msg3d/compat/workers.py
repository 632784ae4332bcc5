"""Memory that the loaders' workers share with the process they were forked from."""

import functools
import gc
import os


@functools.cache
def keep_shared() -> None:
    """A garbage collection in a worker copies every object that it has inherited.

    Python's collector writes into the head of each object that it looks at, and the
    system then copies the page: tens of MiB for each worker, at some moment of the
    training, which looks like a leak. Forked processes therefore leave what they
    inherit out of their collections (`gc.freeze`, made for this; Python's
    documentation of the module). What they make themselves is collected as ever.
    """
    if hasattr(os, "register_at_fork"):  # not on Windows, where nothing is shared
        os.register_at_fork(after_in_child=gc.freeze)
