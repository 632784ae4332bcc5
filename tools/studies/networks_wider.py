"""Study: MS-G3D on Penn Action with the channels of the others.

In the small budget it is the smallest of the graph networks there.
"""

from functools import partial
from typing import List

from . import networks
from .networks import derived, pictures, report

__all__ = ["derived", "pictures", "report", "run", "settings"]

run = partial(networks.run, channels=16)


def settings() -> List[str]:
    """Those of `networks` that it is about."""
    return [s for s in networks.settings() if s.startswith("penn-action/msg3d/")]
