"""Compatibility fixes for MMEngine and MMAction2 with current PyTorch and NumPy.

The last release of MMAction2 is from 2023. Each fix specifies the modules that it
changes and the versions that it applies to. It is applied when a program imports these
modules, but only if the problem exists.
"""

from . import mmaction, mmengine, startup, versions
from .fixes import FIXES

__all__ = ["FIXES", "mmaction", "mmengine", "startup", "versions"]
