"""Interrupted and killed studies: their runs end too, and can be resumed."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from conftest import REPOSITORY, load_module
from marked_processes import ended, marked

write_files = load_module(REPOSITORY / "tests/studies/study_data.py").write_files


def command(folder, *settings):
    options = ["--data", folder, "--work-dir", folder, "--jobs", 2]
    words = [sys.executable, "-m", "studies", "networks-plain", *options]
    words += ["--settings", *settings]
    return [str(word) for word in words]


def test_ctrl_c_saves_a_checkpoint(tmp_path):
    write_files(tmp_path)
    run = tmp_path / "nw-ucla-xview_msg3d_joint_0"

    def training(_):
        return (run / "last_checkpoint").exists()

    words = command(tmp_path, "*/joint")
    lines = ended(words, REPOSITORY, tmp_path, signal.SIGINT, 130, training)
    assert lines.splitlines()[-1].startswith("studies: interrupted"), lines
    assert (run / "last_checkpoint").read_text(encoding="utf-8") == str(
        run / "preempted.pth"
    )
    assert marked(tmp_path) == {}


def test_killed_command_ends_its_runs(tmp_path):
    write_files(tmp_path)
    process = subprocess.Popen(
        command(tmp_path, "*/joint"), cwd=REPOSITORY, stderr=subprocess.PIPE, text=True
    )
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    if not children.exists():
        process.kill()
        pytest.skip("needs a system that lists the children of a process")
    until(lambda: list(tmp_path.glob("nw-ucla*_0")), process)
    workers = [int(pid) for pid in children.read_text(encoding="utf-8").split()]
    process.kill()
    process.wait()
    assert len(workers) >= 1
    until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers))


def until(condition, process=None, seconds=60):
    """Wait for a condition; fail with the process's stderr if it ends first."""
    end = time.time() + seconds
    while not condition():
        assert process is None or process.poll() is None, process.stderr.read()
        assert time.time() < end, "timed out"
        time.sleep(0.1)
