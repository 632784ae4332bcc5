"""Backward-compatible aliases for names formerly defined in this module."""

from ..annotations.inspection import *  # noqa: F403
from ..annotations.inspection import __all__  # noqa: F401
