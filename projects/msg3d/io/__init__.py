"""Safe readers of untrusted files, which never execute code in a file, and writers."""

import os

__all__ = ["StrPath"]

StrPath = str | os.PathLike[str]
