"""Random numbers of Python, NumPy and torch that a few integers determine."""

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


def seed_all(*numbers: int, devices: bool = True) -> None:
    """Seeds Python, NumPy and torch from `numbers` alone.

    Neighbouring numbers give unrelated streams: NumPy's SeedSequence mixes them.

    Args:
        numbers: not negative; their order counts.
        devices: torch's generators of CUDA and the like too, not only the CPU's.
    """
    words = np.random.SeedSequence(numbers).generate_state(4)
    random.seed(int.from_bytes(words.tobytes(), "little"))
    np.random.seed(words)
    seed = int(words[:2].view(np.uint64)[0])
    if devices:
        torch.manual_seed(seed)
    else:
        torch.default_generator.manual_seed(seed)


@contextmanager
def random_state_kept() -> Iterator[None]:
    """Whatever is drawn inside, the CPU's generators go on as if it were not."""
    states = random.getstate(), np.random.get_state(), torch.get_rng_state()
    try:
        yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])
        torch.set_rng_state(states[2])
