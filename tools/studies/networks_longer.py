"""Study: the small budget on MSR-Action3D, with four times the passes."""

from functools import partial
from typing import List

from . import networks
from .networks import derived, pictures, report

__all__ = ["derived", "pictures", "report", "run", "settings"]

run = partial(networks.run, longer=4)


def settings() -> List[str]:
    """Those of a data set whose longer trainings take minutes."""
    return [name for name in networks.settings() if name.startswith("msr-action3d")]
