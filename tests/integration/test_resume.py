"""Test that a resumed run has the same order, augmentation, dropout, and weights."""

import pytest
import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner

from in_process import config
from tiny_runs import STEPS, prepare, same, train

BY_ITERATION = {
    "default_hooks.checkpoint.by_epoch": False,
    "default_hooks.checkpoint.interval": 3,
}


class Losses(Hook):
    """Record the loss of each iteration."""

    def __init__(self):
        self.by_iter = {}

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        self.by_iter[runner.iter] = outputs["loss"].item()


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    return prepare(tmp_path_factory.mktemp("tiny"))


def run(tiny, work_dir, **options):
    losses = Losses()
    train(tiny, work_dir, hooks=[losses], **options)
    return losses.by_iter


@pytest.fixture(scope="module")
def uninterrupted(tiny):
    """Folder and losses of an uninterrupted run."""
    folder = tiny.parent / "uninterrupted"
    return folder, run(tiny, folder)


@pytest.mark.parametrize("workers", [0, 2])
def test_at_end_of_epoch(tiny, uninterrupted, tmp_path, workers):
    """Resume with the same or another number of (persistent) workers."""
    folder, losses = uninterrupted
    loader = {
        "train_dataloader.num_workers": workers,
        "train_dataloader.persistent_workers": workers > 0,
    }
    resume = {"resume": True, "load_from": str(folder / "epoch_2.pth")}
    resumed = run(tiny, tmp_path / "resumed", **resume, **loader)
    assert resumed == {i: losses[i] for i in range(2 * STEPS, 4 * STEPS)}
    assert same(folder / "epoch_4.pth", tmp_path / "resumed" / "epoch_4.pth")


@pytest.mark.parametrize("persistent", [False, True])
def test_within_epoch_with_workers(tiny, uninterrupted, tmp_path, persistent):
    """A loader with workers requests the order twice when it starts."""
    folder, losses = uninterrupted
    run(tiny, tmp_path / "saved", **BY_ITERATION)
    resume = {"resume": True, "load_from": str(tmp_path / "saved" / "iter_6.pth")}
    loader = {
        "train_dataloader.num_workers": 2,
        "train_dataloader.persistent_workers": persistent,
    }
    resumed = run(tiny, tmp_path / "resumed", **resume, **loader, **BY_ITERATION)
    assert resumed == {i: losses[i] for i in range(6, 4 * STEPS)}
    assert same(folder / "epoch_4.pth", tmp_path / "resumed" / "iter_16.pth")


def test_within_epoch(tiny, uninterrupted, tmp_path):
    """Resume within the second epoch, within the third, and at the end of the third."""
    folder, losses = uninterrupted
    assert run(tiny, tmp_path / "saved", **BY_ITERATION) == losses
    source = tmp_path / "saved"
    for number in (6, 9, 12):
        resume = {"resume": True, "load_from": str(source / f"iter_{number}.pth")}
        source = tmp_path / f"from_{number}"
        resumed = run(tiny, source, **resume, **BY_ITERATION)
        assert resumed == {i: losses[i] for i in range(number, 4 * STEPS)}
    assert same(folder / "epoch_4.pth", source / "iter_16.pth")


def test_within_epoch_of_another_length(tiny, tmp_path, caplog):
    """The epoch restarts, because the samples that were used are unknown."""
    run(tiny, tmp_path / "saved", **BY_ITERATION, **{"train_cfg.max_epochs": 1})
    resume = {"resume": True, "load_from": str(tmp_path / "saved" / "iter_3.pth")}
    smaller = {"train_dataloader.batch_size": 2, "train_cfg.max_epochs": 1}
    resumed = run(tiny, tmp_path / "resumed", **resume, **smaller, log_level="WARNING")
    assert len(resumed) == 2 * STEPS
    log = next((tmp_path / "resumed").glob("*/*.log")).read_text(encoding="utf-8")
    assert "3 of 4 batches" in log


def test_without_a_seed(tiny, tmp_path):
    """Each run draws a seed, but the resumed run must shuffle with that of the first."""
    no_seed = {"randomness.seed": None}
    losses = run(tiny, tmp_path / "first", **no_seed)
    resume = {"resume": True, "load_from": str(tmp_path / "first" / "epoch_1.pth")}
    resumed = run(tiny, tmp_path / "resumed", **resume, **no_seed)
    assert resumed == {i: losses[i] for i in range(STEPS, 4 * STEPS)}


def test_fine_tuning_uses_all_batches(tiny, tmp_path):
    """`load_from` loads only weights, even from a checkpoint within an epoch."""
    run(tiny, tmp_path / "saved", **BY_ITERATION, **{"train_cfg.max_epochs": 1})
    load = {"load_from": str(tmp_path / "saved" / "iter_3.pth")}
    assert len(run(tiny, tmp_path / "tuned", **load)) == 4 * STEPS


def test_resume_without_the_hook(tiny, tmp_path):
    """Without the hook, a resumed run differs. If not, the hook is no longer needed."""
    without_hook = {"default_hooks.step_seed": None}
    losses = run(tiny, tmp_path / "first", **without_hook)
    resume = {"resume": True, "load_from": str(tmp_path / "first" / "epoch_2.pth")}
    resumed = run(tiny, tmp_path / "resumed", **resume, **without_hook)
    assert resumed.keys() == set(range(2 * STEPS, 4 * STEPS))
    assert all(resumed[i] != losses[i] for i in resumed)


def test_epochs_and_samples_differ(tiny, tmp_path):
    """Seeds per step must not repeat the augmentation in each epoch or copy."""
    runner = Runner.from_cfg(config(tiny, tmp_path))
    runner._train_loop = runner.build_train_loop(runner._train_loop)
    hook = next(h for h in runner.hooks if type(h).__name__ == "StepSeedHook")
    hook.before_run(runner)
    hook.before_train(runner)
    samples = runner.train_dataloader.dataset
    first, again, copy = (samples[i]["inputs"] for i in (0, 0, 8))
    samples.epoch += 1
    later = samples[0]["inputs"]
    assert torch.equal(first, again)
    assert not torch.equal(first, copy)
    assert not torch.equal(first, later)
