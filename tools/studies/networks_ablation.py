"""Study: where MS-G3D is not ahead in the small budget, with what it may lack.

On SBU, where 16 passes are 230 steps, all networks have four times as many. On Penn
Action, where it is the smallest of the graph networks, MS-G3D has their channels.
"""

from pathlib import Path
from typing import Dict, List

from . import networks
from .networks import derived, pictures, report

__all__ = ["derived", "pictures", "report", "run", "settings"]

# By the start of a setting's name.
CHANGES = {
    "sbu-": dict(longer=4),
    "penn-action/msg3d/": dict(channels=16),
}


def settings() -> List[str]:
    """Those of `networks` that something is changed in."""
    return [name for name in networks.settings() if name.startswith(tuple(CHANGES))]


def run(name: str, seed: int, data: Path, work_dir: Path) -> Dict:
    """`networks.run` under the changed budget."""
    (change,) = (CHANGES[start] for start in CHANGES if name.startswith(start))
    return networks.run(name, seed, data, work_dir, **change)
