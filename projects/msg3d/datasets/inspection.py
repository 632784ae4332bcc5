"""Alias of `msg3d.annotations.inspection`, the checker of annotation files."""

from ..annotations.inspection import *  # noqa: F403
from ..annotations.inspection import __all__  # noqa: F401
