"""Training whose random numbers depend on the seed and the step, not on the past.

MMEngine's checkpoints hold no random state, and with persistent workers no process
could gather it: a resumed run shuffles, augments and drops out otherwise than one that
was never interrupted. Numbers that are a function of seed and step need no saving.
"""

import itertools
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import torch
from mmaction.registry import HOOKS
from mmengine.dataset import BaseDataset
from mmengine.hooks import Hook
from mmengine.runner import EpochBasedTrainLoop, Runner
from torch.utils.data import BatchSampler, DataLoader, get_worker_info

from .random_state import random_state_kept, seed_all

# First numbers of the two kinds of seeds, so that no step shares a sample's.
STEP, SAMPLE = 0, 1


@HOOKS.register_module()
class StepSeedHook(Hook):
    """Make a resumed run go on exactly as the uninterrupted one of the same seed.

    For loops by epoch (`EpochBasedTrainLoop`); others are left alone.

    - The order of the samples: a run without `randomness.seed` draws one, and MMEngine
      builds the sampler of a resumed run with another before it reads the first from
      the checkpoint. The sampler gets the checkpoint's.
    - A sample's augmentation is seeded by (seed, epoch, index): the same with any
      number of workers and of processes, and after any interruption.
    - Dropout and the like are seeded by (seed, iteration) before each step. With
      `randomness.diff_rank_seed` every process has its own seed.
    - A checkpoint from the middle of an epoch (`CheckpointHook(by_epoch=False)`): the
      samples of that epoch that it has seen are passed over, where MMEngine begins the
      epoch again. With another batch size or number of processes the epoch is begun
      again, with a warning.
    """

    priority = "VERY_HIGH"

    def __init__(self) -> None:
        self._drawn: int | None = (
            None  # the seed that the run's loaders were built with
        )
        self._meta: dict = {}  # of the checkpoint that was loaded, if any
        self._epoch: int | None = None
        self._first_iter = 0  # of the epoch

    def before_run(self, runner: Runner) -> None:
        self._drawn = runner.seed

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        self._meta = checkpoint.get("meta", {})

    def before_train(self, runner: Runner) -> None:
        if not isinstance(runner.train_loop, EpochBasedTrainLoop):
            return
        loader = runner.train_dataloader
        if getattr(loader.sampler, "seed", None) == self._drawn:
            loader.sampler.seed = runner.seed
        apart = runner.rank if runner._randomness_cfg.get("diff_rank_seed") else 0
        _set(loader, "dataset", SeededSamples(loader.dataset, runner.seed - apart))
        done = self._batches_done(runner, len(loader))
        if done:
            _set(loader, "batch_sampler", _Rest(loader.batch_sampler, done))
            runner.logger.info(f"Passing over the epoch's first {done} batches")
        self._first_iter = runner.iter - done

    def _batches_done(self, runner: Runner, length: int) -> int:
        """Of the epoch that the run resumes in."""
        meta = self._meta
        done, of = meta.get("epoch_position", (0, length))
        resumed = (meta.get("epoch"), meta.get("iter")) == (runner.epoch, runner.iter)
        if not (resumed and done):
            return 0
        if of != length:
            runner.logger.warning(
                f"the checkpoint was written after {done} of {of} batches of epoch "
                f"{runner.epoch + 1}, which now has {length}: the epoch is begun again"
            )
            return 0
        return done

    def before_train_epoch(self, runner: Runner) -> None:
        samples = runner.train_dataloader.dataset
        if isinstance(samples, SeededSamples):
            samples.epoch.fill_(runner.epoch)
            if self._epoch is not None:  # not the epoch that the run resumed in
                self._first_iter = runner.iter
                if isinstance(runner.train_dataloader.batch_sampler, _Rest):
                    runner.train_dataloader.batch_sampler.passed_over = 0
            self._epoch = runner.epoch

    def before_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None
    ) -> None:
        if self._epoch is not None:
            seed_all(STEP, runner.seed, runner.iter)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        if self._epoch is not None:
            meta = checkpoint["meta"]
            # At the end of an epoch the checkpoint names the next one.
            inside = meta["epoch"] == self._epoch
            done = meta["iter"] - self._first_iter if inside else 0
            meta["epoch_position"] = (done, len(runner.train_dataloader))


class SeededSamples:
    """A data set whose sample `index` has random numbers of its own in each epoch.

    Args:
        dataset: any of MMEngine's; its attributes are this one's too.
        seed: of the run, the same in all its processes.

    Attributes:
        epoch: int64 [1] in shared memory, so that persistent workers see it change.
    """

    def __init__(self, dataset: BaseDataset, seed: int) -> None:
        self.dataset, self.seed = dataset, seed
        self.epoch = torch.zeros(1, dtype=torch.int64).share_memory_()

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int) -> Any:
        # A worker has nothing else to draw; in the training process the model has.
        with nullcontext() if get_worker_info() else random_state_kept():
            seed_all(SAMPLE, self.seed, int(self.epoch), index, devices=False)
            return self.dataset[index]

    def __getattr__(self, name: str) -> Any:
        # Asked of an object that is being unpickled, it has no data set yet.
        if name == "dataset" or name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.dataset, name)


class _Rest:
    """A batch sampler that leaves out the first batches of an epoch.

    Attributes:
        passed_over: how many; 0 for the epochs after it.
    """

    def __init__(self, batches: BatchSampler, done: int) -> None:
        self.batches, self.passed_over = batches, done

    def __len__(self) -> int:
        return len(self.batches)

    def __iter__(self) -> Iterator[list[int]]:
        # A loader with workers asks twice when it starts.
        return itertools.islice(self.batches, self.passed_over, None)


def _set(loader: DataLoader, name: str, value: object) -> None:
    """Torch forbids it once a loader is made; no iterator of this one exists yet."""
    object.__setattr__(loader, name, value)
