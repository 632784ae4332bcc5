"""Study: where MS-G3D is not clearly ahead in the small budget, with what it may lack.

On MSR-Action3D all networks have four times the passes. On Penn Action, where it is the
smallest of the graph networks, MS-G3D has their channels.
"""

from pathlib import Path
from typing import Dict, List

from . import networks
from .networks import derived, pictures, report

__all__ = ["derived", "pictures", "report", "run", "settings"]

# By the start of a setting's name.
CHANGES = {
    "msr-action3d-xsub/": dict(longer=4),
    "penn-action/msg3d/": dict(channels=16),
}


def settings() -> List[str]:
    """Those of `networks` that something is changed in."""
    return [name for name in networks.settings() if name.startswith(tuple(CHANGES))]


def run(name: str, seed: int, data: Path, work_dir: Path) -> Dict:
    """`networks.run` under the changed budget."""
    (change,) = (CHANGES[start] for start in CHANGES if name.startswith(start))
    return networks.run(name, seed, data, work_dir, **change)
