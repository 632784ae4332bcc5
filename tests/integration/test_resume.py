"""A resumed run is the uninterrupted one: same order, augmentation, dropout, weights."""

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
    """Collects the loss of every iteration by its number."""

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
def whole(tiny):
    """An uninterrupted run: its folder and its losses."""
    folder = tiny.parent / "whole"
    return folder, run(tiny, folder)


@pytest.mark.parametrize("workers", [0, 2])
def test_at_an_epoch(tiny, whole, tmp_path, workers):
    """Also with another number of (persistent) workers than before."""
    folder, losses = whole
    loader = {
        "train_dataloader.num_workers": workers,
        "train_dataloader.persistent_workers": workers > 0,
    }
    last = {"resume": True, "load_from": str(folder / "epoch_2.pth")}
    resumed = run(tiny, tmp_path / "resumed", **last, **loader)
    assert resumed == {i: losses[i] for i in range(2 * STEPS, 4 * STEPS)}
    assert same(folder / "epoch_4.pth", tmp_path / "resumed" / "epoch_4.pth")


@pytest.mark.parametrize("persistent", [False, True])
def test_inside_an_epoch_with_workers(tiny, whole, tmp_path, persistent):
    """A loader with workers asks for the order twice when it starts."""
    folder, losses = whole
    run(tiny, tmp_path / "saved", **BY_ITERATION)
    last = {"resume": True, "load_from": str(tmp_path / "saved" / "iter_6.pth")}
    loader = {
        "train_dataloader.num_workers": 2,
        "train_dataloader.persistent_workers": persistent,
    }
    resumed = run(tiny, tmp_path / "resumed", **last, **loader, **BY_ITERATION)
    assert resumed == {i: losses[i] for i in range(6, 4 * STEPS)}
    assert same(folder / "epoch_4.pth", tmp_path / "resumed" / "iter_16.pth")


def test_inside_an_epoch(tiny, whole, tmp_path):
    """Inside the second epoch, then inside the third; and at the third one's end."""
    folder, losses = whole
    assert run(tiny, tmp_path / "saved", **BY_ITERATION) == losses
    source = tmp_path / "saved"
    for number in (6, 9, 12):
        last = {"resume": True, "load_from": str(source / f"iter_{number}.pth")}
        source = tmp_path / f"from_{number}"
        resumed = run(tiny, source, **last, **BY_ITERATION)
        assert resumed == {i: losses[i] for i in range(number, 4 * STEPS)}
    assert same(folder / "epoch_4.pth", source / "iter_16.pth")


def test_inside_an_epoch_of_another_length(tiny, tmp_path, caplog):
    """The epoch is begun again: which samples were seen nobody knows."""
    run(tiny, tmp_path / "saved", **BY_ITERATION, **{"train_cfg.max_epochs": 1})
    last = {"resume": True, "load_from": str(tmp_path / "saved" / "iter_3.pth")}
    halves = {"train_dataloader.batch_size": 2, "train_cfg.max_epochs": 1}
    resumed = run(tiny, tmp_path / "resumed", **last, **halves, log_level="WARNING")
    assert len(resumed) == 2 * STEPS
    log = next((tmp_path / "resumed").glob("*/*.log")).read_text(encoding="utf-8")
    assert "written after 3 of 4 batches of epoch 1, which now has 8" in log


def test_without_a_seed(tiny, tmp_path):
    """Each run draws one; the resumed run's must not shuffle the first one's data."""
    drawn = {"randomness.seed": None}
    losses = run(tiny, tmp_path / "whole", **drawn)
    last = {"resume": True, "load_from": str(tmp_path / "whole" / "epoch_1.pth")}
    resumed = run(tiny, tmp_path / "resumed", **last, **drawn)
    assert resumed == {i: losses[i] for i in range(STEPS, 4 * STEPS)}


def test_fine_tuning_passes_over_nothing(tiny, tmp_path):
    """`load_from` takes weights only, also out of the middle of an epoch."""
    run(tiny, tmp_path / "saved", **BY_ITERATION, **{"train_cfg.max_epochs": 1})
    last = {"load_from": str(tmp_path / "saved" / "iter_3.pth")}
    assert len(run(tiny, tmp_path / "tuned", **last)) == 4 * STEPS


def test_mmengine_alone_goes_on_otherwise(tiny, tmp_path):
    """Why the hook is there: retire it when this fails."""
    alone = {"default_hooks.step_seed": None}
    losses = run(tiny, tmp_path / "whole", **alone)
    last = {"resume": True, "load_from": str(tmp_path / "whole" / "epoch_2.pth")}
    resumed = run(tiny, tmp_path / "resumed", **last, **alone)
    assert resumed.keys() == set(range(2 * STEPS, 4 * STEPS))
    assert all(resumed[i] != losses[i] for i in resumed)


def test_epochs_and_samples_differ(tiny, tmp_path):
    """Seeds by step must not give every epoch or every copy the same augmentation."""
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
