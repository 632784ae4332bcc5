"""Study: MS-G3D at half its published width under the whole recipe, on NW-UCLA.

All four streams of the standard split: what two cores train in some hours a seed.
"""

from functools import partial
from typing import List

from . import networks
from .networks import derived, pictures, report

__all__ = ["derived", "pictures", "report", "run", "settings"]

run = partial(networks.run, whole=True, channels=48)


def settings() -> List[str]:
    """Those of `networks`, for MS-G3D on NW-UCLA `xview`."""
    return [s for s in networks.settings() if s.startswith("nw-ucla-xview/msg3d/")]
