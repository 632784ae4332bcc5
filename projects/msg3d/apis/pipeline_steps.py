"""Functions shared by the test pipelines of configs and of exported files.

NOTE: `msg3d_onnx` uses this module without torch.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Optional

import numpy as np


def with_clips(
    steps: Sequence[Mapping[str, Any]], clips: Optional[int]
) -> list[Mapping[str, Any]]:
    """The steps with another number of clips; unchanged if it is None."""
    return [
        dict(step, num_clips=clips) if clips and "num_clips" in step else step
        for step in steps
    ]


@contextmanager
def numpy_random_kept() -> Iterator[None]:
    """Restore NumPy's global random state, which UniformSampleFrames seeds."""
    state = np.random.get_state()
    try:
        yield
    finally:
        np.random.set_state(state)
