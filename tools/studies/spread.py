"""Mean and standard deviation, as text."""

from statistics import mean, stdev
from typing import Sequence


def spread(values: Sequence[float], digits: int = 1) -> str:
    """'mean ± std' over seeds; the mean alone where there is one."""
    deviation = f" ± {stdev(values):.{digits}f}" if len(values) > 1 else ""
    return f"{mean(values):.{digits}f}{deviation}"
