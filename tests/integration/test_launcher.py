"""Test that ranks end with the torchrun that started them, and only then."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import mmaction
import pytest
import torch

from conftest import free_port
from marked_processes import left_after, marked, marked_env
from msg3d.engine.launcher import tie_to_launcher
from tiny_runs import prepare

if sys.platform != "linux":
    pytest.skip("needs Linux", allow_module_level=True)
TRAIN = Path(mmaction.__file__).parent / ".mim" / "tools" / "train.py"
WORKERS = [
    f"train_dataloader.{name}=1" for name in ("num_workers", "persistent_workers")
]
INIT = Path("/proc/1/cmdline").read_bytes()


def orphan_output(monkeypatch, by_torchrun, tied_late=False):
    """Kill the parent of a process, and return what the process writes to a pipe then.

    Returns:
        b"2" or b"3" if the process survives its parent, otherwise b"".
    """
    if by_torchrun:
        monkeypatch.setenv("TORCHELASTIC_RUN_ID", "none")
    else:
        monkeypatch.delenv("TORCHELASTIC_RUN_ID", raising=False)
    reading, writing = os.pipe()
    parent = os.fork()
    if not parent:
        parent_pid = os.getpid()
        if not os.fork():
            if not tied_late:
                tie_to_launcher()
            os.write(writing, b"1")
            while os.getppid() == parent_pid:
                time.sleep(0.01)
            if tied_late:
                tie_to_launcher()
            time.sleep(0.3)  # wait for the signal
            os.write(writing, b"2" if os.getppid() == 1 else b"3")
            os._exit(0)
        signal.pause()
    os.close(writing)
    assert os.read(reading, 1) == b"1"
    os.kill(parent, signal.SIGKILL)
    os.waitpid(parent, 0)
    output = os.read(reading, 1)  # b"" if all writers have ended
    os.close(reading)
    return output


def test_tied_to_torchrun(monkeypatch):
    assert orphan_output(monkeypatch, by_torchrun=True) == b""


def test_not_tied_to_a_shell(monkeypatch):
    assert orphan_output(monkeypatch, by_torchrun=False) in (b"2", b"3")
    late = orphan_output(monkeypatch, by_torchrun=False, tied_late=True)
    assert late in (b"2", b"3")


def test_torchrun_has_ended_before(monkeypatch):
    if b"python" in INIT or orphan_output(monkeypatch, by_torchrun=False) == b"3":
        pytest.skip("orphans are not adopted by the system's init")
    assert orphan_output(monkeypatch, by_torchrun=True, tied_late=True) == b""


def start(config, work_dir, log, *options):
    """Start training with the command that mim uses."""
    command = [sys.executable, "-m", "torch.distributed.launch", "--nproc_per_node=2"]
    command += [f"--master_port={free_port()}", TRAIN, config, "--work-dir", work_dir]
    command += ["--launcher", "pytorch", "--cfg-options", *WORKERS, *options]
    with log.open("w", encoding="utf-8") as file:
        return subprocess.Popen(
            list(map(str, command)),
            cwd=work_dir.parent,
            env=marked_env(work_dir, CUDA_VISIBLE_DEVICES="-1"),
            stdout=file,
            stderr=subprocess.STDOUT,
        )


def test_torchrun_is_killed(tmp_path):
    """Ranks and workers end with torchrun; until then, they lock the work dir."""
    config, work_dir, log = prepare(tmp_path), tmp_path / "work", tmp_path / "log"
    last = work_dir / "last_checkpoint"
    first = start(config, work_dir, tmp_path / "first", "train_cfg.max_epochs=100000")
    try:
        end = time.monotonic() + 120
        while not last.exists() and first.poll() is None and time.monotonic() < end:
            time.sleep(0.1)
        assert len(marked(work_dir)) >= 5  # torchrun, and two ranks with a worker each

        second = start(config, work_dir, log, "resume=True")
        assert second.wait(timeout=120) == 1
        text = log.read_text(encoding="utf-8")
        # Both ranks stop, and torchrun reports why.
        assert f"{work_dir}: process " in text, text[-4000:]
        assert first.poll() is None
    finally:
        first.kill()
        first.wait()
    # Workers check for their parent every five seconds.
    assert left_after(work_dir, 10) == {}

    epoch = int(torch.load(last.read_text(encoding="utf-8"))["meta"]["epoch"])
    epochs = f"train_cfg.max_epochs={epoch + 1}"
    third = start(config, work_dir, log, "resume=True", epochs)
    assert third.wait(timeout=120) == 0, log.read_text(encoding="utf-8")[-4000:]
    assert torch.load(last.read_text(encoding="utf-8"))["meta"]["epoch"] == epoch + 1
