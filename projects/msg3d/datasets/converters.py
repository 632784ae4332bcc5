"""Backward-compatible aliases for names formerly defined in this module."""

from ..converters import *  # noqa: F403
from ..converters import __all__  # noqa: F401
