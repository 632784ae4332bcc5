"""What all tests share: msg3d first (it mends the stack), and where data may lie."""

from pathlib import Path

import pytest
import torch

import msg3d  # noqa: F401

REPOSITORY = Path(__file__).parent.parent
SHARED = REPOSITORY.parent / "shared"

torch.set_num_threads(2)


@pytest.fixture
def shared() -> Path:
    """The folder of large reference data, which only the developers have."""
    if not SHARED.is_dir():
        pytest.skip("needs the developers' reference data in ../shared")
    return SHARED
