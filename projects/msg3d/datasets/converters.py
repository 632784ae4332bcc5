"""Alias of `msg3d.converters`."""

from ..converters import *  # noqa: F403
from ..converters import __all__  # noqa: F401
