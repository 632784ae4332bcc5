"""`msg3d convert-checkpoint`, through the wrapper in tools/."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from weights import golden_weights


@pytest.fixture
def original(shared):
    folder = shared / "golden"
    entries = json.loads((folder / "original_ntu25.json").read_text(encoding="utf-8"))[
        "state_dict"
    ]
    return golden_weights(entries), np.load(folder / "original_ntu25.npz")


def test_command(original, tmp_path):
    tool = Path(__file__).parents[2] / "tools" / "convert_checkpoint.py"
    torch.save(original[0], tmp_path / "in.pt")
    run = [sys.executable, str(tool), "in.pt"]
    result = subprocess.run(
        [*run, "out.pth"], cwd=tmp_path, text=True, capture_output=True
    )
    assert result.returncode == 0, result.stderr
    assert "wrote out.pth" in result.stdout, result.stderr
    result = subprocess.run(
        [*run, "other.pt"], cwd=tmp_path, text=True, capture_output=True
    )
    assert result.returncode == 2
    assert "NAME.pth" in result.stderr
    run[2] = "out.pth"
    result = subprocess.run([*run, "again.pt", "--back"], cwd=tmp_path)
    assert result.returncode == 0
    assert torch.load(tmp_path / "again.pt").keys() == original[0].keys()
