"""Read and write untrusted files as plain data, without executing anything in them."""

import os

__all__ = ["StrPath"]

# A path, as users give it.
StrPath = str | os.PathLike[str]
