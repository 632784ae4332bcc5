"""What test pipelines share, of a config or of an exported file.

NOTE: `msg3d_onnx` reads this module where there is no torch.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Optional

import numpy as np


def with_clips(
    steps: Sequence[Mapping[str, Any]], clips: Optional[int]
) -> list[Mapping[str, Any]]:
    """The steps, sampling another number of clips; None leaves them as they are."""
    return [
        dict(step, num_clips=clips) if clips and "num_clips" in step else step
        for step in steps
    ]


@contextmanager
def numpy_random_kept() -> Iterator[None]:
    """UniformSampleFrames seeds NumPy's global generator, which is the user's."""
    state = np.random.get_state()
    try:
        yield
    finally:
        np.random.set_state(state)
