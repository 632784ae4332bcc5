"""Study: four times the passes where MS-G3D is not ahead in the small budget.

On SBU its 16 passes are 230 steps, on Penn Action its 8 are 630.
"""

from functools import partial
from typing import List

from . import networks
from .networks import derived, pictures, report

__all__ = ["derived", "pictures", "report", "run", "settings"]

run = partial(networks.run, longer=4)


def settings() -> List[str]:
    """Those of `networks` on the two data sets."""
    return [s for s in networks.settings() if s.startswith(("sbu-", "penn-action/"))]
