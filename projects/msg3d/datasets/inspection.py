"""Alias of `msg3d.annotations.inspection`, where the checker of files lives now."""

from ..annotations.inspection import *  # noqa: F403
from ..annotations.inspection import __all__  # noqa: F401
