"""Compatibility fixes of MMEngine and MMAction2 for current PyTorch and NumPy.

Both had their last releases in 2023. Each fix specifies the modules that it changes and
the versions that it applies to. It is applied when a program imports these modules,
after checking that the problem exists. Fixes thus disable themselves.
"""

from . import mmaction, mmengine, versions
from .fixes import FIXES

__all__ = ["FIXES", "mmaction", "mmengine", "versions"]
