"""Lock of a work dir: one training run at a time, released at the end of the process."""

import errno
import multiprocessing
import os
import signal
import socket
from contextlib import contextmanager

import pytest
from mmengine.runner import Runner
from spawned import hold_lock, send_holder

from errors import raises
from in_process import config, without_paperwork
from msg3d.engine.work_dir import FILE, locked
from tiny_runs import prepare, train

fcntl = pytest.importorskip("fcntl", reason="Windows has no POSIX locks")
spawn = multiprocessing.get_context("spawn")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    return prepare(tmp_path_factory.mktemp("tiny"))


@contextmanager
def locked_elsewhere(work_dir, worker=False):
    """Hold the lock in another process; `worker` forks a child that outlives it."""
    work_dir.mkdir(exist_ok=True)
    receiver, sender = spawn.Pipe(duplex=False)
    process = spawn.Process(target=hold_lock, args=(work_dir, sender, worker))
    process.start()
    holder, child = receiver.recv()
    assert holder is None
    try:
        yield process
    finally:
        process.kill()
        process.join()
        if child:
            os.kill(child, signal.SIGKILL)


def lock_holder(work_dir):
    """Return the holder of the lock as reported to this process."""
    with locked(work_dir) as holder:
        return holder


def test_only_testing_is_allowed_beside_training(tiny, tmp_path):
    train(tiny, tmp_path / "finished")
    work_dir = tmp_path / "work"
    with locked_elsewhere(work_dir) as process:
        with raises("locked", file=str(work_dir)) as error:
            train(tiny, work_dir)
        holder = f"process {process.pid} on {socket.gethostname()}"
        assert holder in error.value.message
        assert not list(work_dir.glob("*.pth"))
        last = str(tmp_path / "finished" / "epoch_4.pth")
        with without_paperwork():
            Runner.from_cfg(config(tiny, work_dir, load_from=last)).test()
    train(tiny, work_dir)
    assert (work_dir / "epoch_4.pth").exists()
    assert lock_holder(work_dir) is None


def test_kill_releases_the_lock(tmp_path):
    """The workers, which live slightly longer, do not hold the lock."""
    with locked_elsewhere(tmp_path, worker=True) as process:
        assert lock_holder(tmp_path).startswith(f"process {process.pid} on ")
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        assert lock_holder(tmp_path) is None


def test_error_releases_the_lock(tiny, tmp_path):
    """The process may keep running with the error, as in a notebook."""
    with pytest.raises(TypeError) as error:
        train(tiny, tmp_path, **{"optim_wrapper.optimizer.nonsense": 1})
    receiver, sender = spawn.Pipe(duplex=False)
    process = spawn.Process(target=send_holder, args=(tmp_path, sender))
    process.start()
    assert receiver.recv() is None
    process.join()
    del error


def test_file_system_without_locks(tiny, tmp_path, monkeypatch):
    def lockf(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "lockf", lockf)
    train(tiny, tmp_path, **{"train_cfg.max_epochs": 1})
    assert (tmp_path / "epoch_1.pth").exists()


def test_requeued_by_slurm(tmp_path, monkeypatch):
    """A requeued job ignores its own lock, which the server keeps for a failed node."""
    monkeypatch.setenv("SLURM_JOB_ID", "55")
    with locked_elsewhere(tmp_path) as process:
        host = socket.gethostname()
        holder = f"process {process.pid} on {host}, Slurm job 55"
        assert (tmp_path / FILE).read_text(encoding="utf-8") == holder
        assert lock_holder(tmp_path) == holder  # two steps of a job on one node
        monkeypatch.setattr(socket, "gethostname", lambda: "another-node")
        assert lock_holder(tmp_path) is None
        monkeypatch.setenv("SLURM_JOB_ID", "5")
        assert lock_holder(tmp_path) == holder
        monkeypatch.delenv("SLURM_JOB_ID")
        assert lock_holder(tmp_path) == holder
