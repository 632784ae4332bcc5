"""Backward-compatible aliases for names in `msg3d.annotations.inspection`."""

from ..annotations.inspection import *  # noqa: F403
from ..annotations.inspection import __all__  # noqa: F401
