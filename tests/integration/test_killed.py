"""Test training that is killed twenty times, also while it writes a checkpoint."""

import json
import os
import subprocess
import sys
from pathlib import Path

import msg3d
import samples
from msg3d.engine.work_dir import last_whole_checkpoint
from tiny_runs import STEPS, same

SCRIPT = Path(__file__).with_name("killed_runs.py")
PATH = [Path(msg3d.__file__).parent.parent, Path(samples.__file__).parent]


def test_twenty_kills(tmp_path):
    path = os.pathsep.join(map(str, [*PATH, os.environ.get("PYTHONPATH", "")]))
    result = subprocess.run(
        [sys.executable, "-W", "ignore", str(SCRIPT), str(tmp_path)],
        env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert result.returncode == 0, result.stderr[-4000:]
    report = json.loads(result.stdout.splitlines()[-1])
    kills, last = report["kills"], report["last"]
    # Every run lasted until its kill: none failed on files of the previous run.
    assert [kill["killed"] for kill in kills] == [True] * 20, result.stderr[-4000:]
    assert last["code"] == 0, result.stderr[-4000:]
    assert sum(kill["write"] is not None for kill in kills) == 6

    trained = 0  # iterations completed so far
    for run in [*kills, last]:
        if run["iters"]:
            first, end = run["iters"][0], run["iters"][-1] + 1
            assert run["iters"] == list(range(first, end))
            assert trained - STEPS <= first <= trained
            trained = max(trained, end)

    uninterrupted, killed = tmp_path / "uninterrupted", tmp_path / "killed"
    assert same(uninterrupted / "epoch_60.pth", killed / "epoch_60.pth")
    # Also if a kill left `last_checkpoint` empty after the last epoch.
    assert last_whole_checkpoint(str(killed)).endswith("epoch_60.pth")
    assert not list(killed.glob("*.tmp"))
