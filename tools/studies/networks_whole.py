"""Study: the networks at their published width, under the whole recipes; for a GPU."""

from functools import partial

from . import networks
from .networks import derived, pictures, report, settings

__all__ = ["derived", "pictures", "report", "run", "settings"]

run = partial(networks.run, whole=True)
