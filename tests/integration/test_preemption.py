"""A run that gets SIGTERM or SIGUSR1 writes a checkpoint, and resumes from it."""

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


class Sends(Hook):
    """Sends this process, or all its children, a signal before iteration `at`."""

    def __init__(self, number, at, to_children=False):
        self.number, self.at, self.to_children = number, at, to_children

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        if runner.iter == self.at:
            pids = [str(os.getpid())]
            if self.to_children:
                pids = [str(child.pid) for child in multiprocessing.active_children()]
                assert pids
            # Another process's, as Slurm's are.
            subprocess.run(["kill", f"-{self.number}", *pids], check=True)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    return prepare(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def whole(tiny):
    return final(train(tiny, tiny.parent / "whole"))


def final(runner):
    """The last checkpoint, that of an ended run."""
    return torch.load(Path(runner.work_dir) / "epoch_4.pth")


def assert_same(first, second):
    for name, value in first["state_dict"].items():
        assert torch.equal(value, second["state_dict"][name]), name
    pairs = zip(
        *(c["optimizer"]["state"].values() for c in (first, second)), strict=True
    )
    for one, other in pairs:
        assert torch.equal(one["momentum_buffer"], other["momentum_buffer"])


@pytest.mark.parametrize(
    ("number", "at"),
    [
        (signal.SIGUSR1, STEPS + 1),  # inside the second epoch
        (signal.SIGTERM, 2 * STEPS - 1),  # its last iteration
    ],
)
def test_leaves_and_resumes(tiny, whole, tmp_path, number, at):
    handler = signal.getsignal(number)
    with pytest.raises(SystemExit) as left:
        train(tiny, tmp_path, hooks=[Sends(number, at)])
    assert left.value.code == 128 + number
    assert signal.getsignal(number) is handler
    assert last_whole_checkpoint(tmp_path) == str(tmp_path / "preempted.pth")
    assert torch.load(tmp_path / "preempted.pth")["meta"]["iter"] == at + 1
    assert not (tmp_path / "epoch_2.pth").exists()

    runner = train(tiny, tmp_path, resume=True)
    assert_same(final(runner), whole)
    assert last_whole_checkpoint(tmp_path) == str(tmp_path / "epoch_4.pth")


def test_signal_of_another_process(tiny, tmp_path, monkeypatch):
    """All leave after the same iteration, though one alone was asked."""
    asked = iter([0, 0, signal.SIGTERM])
    monkeypatch.setattr(preemption_hook, "get_world_size", lambda: 2)
    monkeypatch.setattr(
        preemption_hook, "all_reduce", lambda agreed, op: agreed.fill_(next(asked))
    )
    with pytest.raises(SystemExit) as left:
        train(tiny, tmp_path)
    assert left.value.code == 128 + signal.SIGTERM
    assert torch.load(tmp_path / "preempted.pth")["meta"]["iter"] == 3


@pytest.mark.parametrize("persistent", [False, True])
def test_workers_outlive_the_signal(tiny, whole, tmp_path, persistent):
    """Slurm signals every process of a task; workers' deaths would end the run."""
    sends = Sends(signal.SIGTERM, STEPS + 1, to_children=True)
    loaders = {
        f"{split}_dataloader.{name}": value
        for split in ("train", "val")
        for name, value in (("num_workers", 2), ("persistent_workers", persistent))
    }
    runner = train(tiny, tmp_path, hooks=[sends], **loaders)
    assert_same(final(runner), whole)
    # And they end with the loaders, at once.
    for worker in multiprocessing.active_children():
        worker.terminate()
        worker.join(timeout=4)
        assert worker.exitcode is not None


def test_handlers_end_with_training(tiny, tmp_path):
    former = signal.getsignal(signal.SIGTERM)
    train(tiny, tmp_path, **{"train_cfg.max_epochs": 1})
    assert signal.getsignal(signal.SIGTERM) is former
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, [])
    assert not blocked & {signal.SIGTERM, signal.SIGUSR1}
