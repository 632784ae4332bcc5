"""Random states of Python, NumPy, and PyTorch."""

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


def seed_all(*numbers: int, devices: bool = True) -> None:
    """Seed the random generators of Python, NumPy, and PyTorch from `numbers`.

    NumPy's SeedSequence mixes the numbers, so adjacent numbers give unrelated streams.

    Args:
        numbers: nonnegative integers; their order matters.
        devices: also seed PyTorch's generators of CUDA and other devices.
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
    """Restore the random states of the CPU after the block."""
    states = random.getstate(), np.random.get_state(), torch.get_rng_state()
    try:
        yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])
        torch.set_rng_state(states[2])
