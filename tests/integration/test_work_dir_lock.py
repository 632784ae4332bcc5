"""One training at a time in a work_dir; the lock ends with its process."""

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
def held_elsewhere(work_dir, worker=False):
    """Another process holds the lock; with a `worker`, a fork of it lives on."""
    work_dir.mkdir(exist_ok=True)
    receiver, sender = spawn.Pipe(duplex=False)
    process = spawn.Process(target=hold_lock, args=(work_dir, sender, worker))
    process.start()
    holder, other = receiver.recv()
    assert holder is None
    try:
        yield process
    finally:
        process.kill()
        process.join()
        if other:
            os.kill(other, signal.SIGKILL)


def held(work_dir):
    """Who holds it, asked by this process."""
    with locked(work_dir) as holder:
        return holder


def test_second_training_is_refused_and_testing_is_not(tiny, tmp_path):
    train(tiny, tmp_path / "whole")
    work_dir = tmp_path / "work"
    with held_elsewhere(work_dir) as process:
        with raises("locked", file=str(work_dir)) as error:
            train(tiny, work_dir)
        who = f"process {process.pid} on {socket.gethostname()}"
        assert who in error.value.message
        assert not list(work_dir.glob("*.pth"))
        last = str(tmp_path / "whole" / "epoch_4.pth")
        with without_paperwork():
            Runner.from_cfg(config(tiny, work_dir, load_from=last)).test()
    train(tiny, work_dir)
    assert (work_dir / "epoch_4.pth").exists()
    assert held(work_dir) is None


def test_a_killed_holder_holds_nothing(tmp_path):
    """Nor do its workers, which live on for a moment."""
    with held_elsewhere(tmp_path, worker=True) as process:
        assert held(tmp_path).startswith(f"process {process.pid} on ")
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        assert held(tmp_path) is None


def test_a_failed_training_holds_nothing(tiny, tmp_path):
    """Its process may live on, as in a notebook, with the error at hand."""
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
    """A file server keeps a failed node's lock; the job that had it is this one."""
    monkeypatch.setenv("SLURM_JOB_ID", "55")
    with held_elsewhere(tmp_path) as process:
        here = socket.gethostname()
        mine = f"process {process.pid} on {here}, Slurm job 55"
        assert (tmp_path / FILE).read_text(encoding="utf-8") == mine
        assert held(tmp_path) == mine  # two steps of a job on one node
        monkeypatch.setattr(socket, "gethostname", lambda: "another-node")
        assert held(tmp_path) is None
        monkeypatch.setenv("SLURM_JOB_ID", "5")
        assert held(tmp_path) == mine
        monkeypatch.delenv("SLURM_JOB_ID")
        assert held(tmp_path) == mine
