"""Fixes for what current PyTorch and NumPy break in MMEngine and MMAction2.

Both had their last releases in 2023. A fix names the modules that it changes and the
versions it is for, and is applied when a program imports these modules. It first checks
whether the thing is broken: each fix disables itself.
"""

from . import mmaction, mmengine, versions
from .fixes import FIXES

__all__ = ["FIXES", "mmaction", "mmengine", "versions"]
