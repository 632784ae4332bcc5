"""Test that a run saves a checkpoint on SIGTERM or SIGUSR1, and resumes from it."""

import multiprocessing
import os
import signal
import subprocess
from pathlib import Path

import pytest
import torch
from mmengine.hooks import Hook

from msg3d.engine.hooks import preemption_hook
from msg3d.engine.work_dir import last_whole_checkpoint
from tiny_runs import STEPS, prepare, train

if not hasattr(signal, "sigwaitinfo"):
    pytest.skip("PreemptionHook needs sigwaitinfo", allow_module_level=True)


class SendSignal(Hook):
    """Send a signal to this process, or to its children, before iteration `at`."""

    def __init__(self, number, at, to_children=False):
        self.number, self.at, self.to_children = number, at, to_children

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        if runner.iter == self.at:
            pids = [str(os.getpid())]
            if self.to_children:
                pids = [str(child.pid) for child in multiprocessing.active_children()]
                assert pids
            # Sent by another process, as by Slurm.
            subprocess.run(["kill", f"-{self.number}", *pids], check=True)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    return prepare(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def uninterrupted(tiny):
    return final(train(tiny, tiny.parent / "uninterrupted"))


def final(runner):
    """Return the last checkpoint of a completed run."""
    return torch.load(Path(runner.work_dir) / "epoch_4.pth")


def assert_same(first, second):
    for name, value in first["state_dict"].items():
        assert torch.equal(value, second["state_dict"][name]), name
    states = (c["optimizer"]["state"].values() for c in (first, second))
    for state, other in zip(*states, strict=True):
        assert torch.equal(state["momentum_buffer"], other["momentum_buffer"])


@pytest.mark.parametrize(
    ("number", "at"),
    [
        (signal.SIGUSR1, STEPS + 1),  # within the second epoch
        (signal.SIGTERM, 2 * STEPS - 1),  # last iteration of the epoch
    ],
)
def test_exits_and_resumes(tiny, uninterrupted, tmp_path, number, at):
    handler = signal.getsignal(number)
    with pytest.raises(SystemExit) as error:
        train(tiny, tmp_path, hooks=[SendSignal(number, at)])
    assert error.value.code == 128 + number
    assert signal.getsignal(number) is handler
    assert last_whole_checkpoint(tmp_path) == str(tmp_path / "preempted.pth")
    assert torch.load(tmp_path / "preempted.pth")["meta"]["iter"] == at + 1
    assert not (tmp_path / "epoch_2.pth").exists()

    runner = train(tiny, tmp_path, resume=True)
    assert_same(final(runner), uninterrupted)
    assert last_whole_checkpoint(tmp_path) == str(tmp_path / "epoch_4.pth")


def test_signal_of_another_process(tiny, tmp_path, monkeypatch):
    """All processes exit after the same iteration, even if only one gets the signal."""
    received = iter([0, 0, signal.SIGTERM])
    monkeypatch.setattr(preemption_hook, "get_world_size", lambda: 2)
    monkeypatch.setattr(
        preemption_hook, "all_reduce", lambda agreed, op: agreed.fill_(next(received))
    )
    with pytest.raises(SystemExit) as error:
        train(tiny, tmp_path)
    assert error.value.code == 128 + signal.SIGTERM
    assert torch.load(tmp_path / "preempted.pth")["meta"]["iter"] == 3


@pytest.mark.parametrize("persistent", [False, True])
def test_workers_ignore_the_signal(tiny, uninterrupted, tmp_path, persistent):
    """Slurm signals every process of a task, but the run needs its workers."""
    send_signal = SendSignal(signal.SIGTERM, STEPS + 1, to_children=True)
    loaders = {
        f"{split}_dataloader.{name}": value
        for split in ("train", "val")
        for name, value in (("num_workers", 2), ("persistent_workers", persistent))
    }
    runner = train(tiny, tmp_path, hooks=[send_signal], **loaders)
    assert_same(final(runner), uninterrupted)
    # The workers end with the loaders, without delay.
    for worker in multiprocessing.active_children():
        worker.terminate()
        worker.join(timeout=4)
        assert worker.exitcode is not None


def test_handlers_are_restored_after_training(tiny, tmp_path):
    former = signal.getsignal(signal.SIGTERM)
    train(tiny, tmp_path, **{"train_cfg.max_epochs": 1})
    assert signal.getsignal(signal.SIGTERM) is former
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, [])
    assert not blocked & {signal.SIGTERM, signal.SIGUSR1}
