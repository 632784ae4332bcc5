"""Writers, and safe readers for untrusted files that never execute code in a file."""

import os

__all__ = ["StrPath"]

StrPath = str | os.PathLike[str]
