"""Backward-compatible aliases for names in `msg3d.converters`."""

from ..converters import *  # noqa: F403
from ..converters import __all__  # noqa: F401
