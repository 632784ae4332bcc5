"""From published data sets to annotation files, one module a data set."""

from .nw_ucla import convert_nw_ucla

__all__ = ["convert_nw_ucla"]
