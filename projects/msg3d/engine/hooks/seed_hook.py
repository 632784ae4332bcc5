"""Reproducible random numbers for resumed runs.

MMEngine's checkpoints contain no random state, and with persistent workers no process
could collect it. A resumed run therefore shuffles, augments, and drops out differently
from an uninterrupted run. Random numbers that depend only on seed and step need no
saved state.
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

# First numbers of the two kinds of seeds, so that they never coincide.
STEP, SAMPLE = 0, 1


@HOOKS.register_module()
class StepSeedHook(Hook):
    """Let a resumed run continue exactly like an uninterrupted run.

    Supports loops by epoch (`EpochBasedTrainLoop`). Other loops are unaffected.

    - Order of the samples: without `randomness.seed`, a run draws a seed. MMEngine
      builds the sampler of a resumed run with a new seed before it reads the old seed
      from the checkpoint. The hook sets the old seed.
    - Augmentation: seeded by (seed, epoch, index), so it is independent of the number
      of workers, the number of processes, and interruptions.
    - Dropout and other operations of the model: seeded by (seed, iteration) before each
      step. With `randomness.diff_rank_seed`, each process has its own seed.
    - Checkpoints within an epoch (`CheckpointHook(by_epoch=False)`): the hook skips the
      batches that are done, while MMEngine would restart the epoch. If the batch size
      or the number of processes has changed, the epoch is restarted with a warning.
    """

    priority = "VERY_HIGH"

    def __init__(self) -> None:
        self._initial_seed: int | None = None  # seed of the data loaders
        self._meta: dict = {}  # metadata of the loaded checkpoint
        self._epoch: int | None = None
        self._first_iter = 0  # first iteration of the epoch

    def before_run(self, runner: Runner) -> None:
        self._initial_seed = runner.seed

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        self._meta = checkpoint.get("meta", {})

    def before_train(self, runner: Runner) -> None:
        if not isinstance(runner.train_loop, EpochBasedTrainLoop):
            return
        loader = runner.train_dataloader
        if getattr(loader.sampler, "seed", None) == self._initial_seed:
            loader.sampler.seed = runner.seed
        offset = runner.rank if runner._randomness_cfg.get("diff_rank_seed") else 0
        _set(loader, "dataset", SeededSamples(loader.dataset, runner.seed - offset))
        done = self._batches_done(runner, len(loader))
        if done:
            _set(loader, "batch_sampler", _RemainingBatches(loader.batch_sampler, done))
            runner.logger.info(f"Skipping the first {done} batches of the epoch")
        self._first_iter = runner.iter - done

    def _batches_done(self, runner: Runner, length: int) -> int:
        """Return the number of batches to skip in the resumed epoch."""
        meta = self._meta
        done, total = meta.get("epoch_position", (0, length))
        resumed = (meta.get("epoch"), meta.get("iter")) == (runner.epoch, runner.iter)
        if not (resumed and done):
            return 0
        if total != length:
            runner.logger.warning(
                f"the checkpoint was written after {done} of {total} batches of epoch "
                f"{runner.epoch + 1}, which now has {length}. The epoch is restarted."
            )
            return 0
        return done

    def before_train_epoch(self, runner: Runner) -> None:
        samples = runner.train_dataloader.dataset
        if isinstance(samples, SeededSamples):
            samples.epoch.fill_(runner.epoch)
            if self._epoch is not None:  # not the resumed epoch
                self._first_iter = runner.iter
                batch_sampler = runner.train_dataloader.batch_sampler
                if isinstance(batch_sampler, _RemainingBatches):
                    batch_sampler.skipped = 0
            self._epoch = runner.epoch

    def before_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None
    ) -> None:
        if self._epoch is not None:
            seed_all(STEP, runner.seed, runner.iter)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        if self._epoch is not None:
            meta = checkpoint["meta"]
            # At the end of an epoch, the checkpoint contains the next epoch.
            inside = meta["epoch"] == self._epoch
            done = meta["iter"] - self._first_iter if inside else 0
            meta["epoch_position"] = (done, len(runner.train_dataloader))


class SeededSamples:
    """Data set that seeds each sample by epoch and index.

    Args:
        dataset: an MMEngine data set, whose attributes are forwarded.
        seed: seed of the run, the same in all processes.

    Attributes:
        epoch: int64 [1] in shared memory, visible to persistent workers.
    """

    def __init__(self, dataset: BaseDataset, seed: int) -> None:
        self.dataset, self.seed = dataset, seed
        self.epoch = torch.zeros(1, dtype=torch.int64).share_memory_()

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int) -> Any:
        # In the training process, the model also draws random numbers.
        with nullcontext() if get_worker_info() else random_state_kept():
            seed_all(SAMPLE, self.seed, int(self.epoch), index, devices=False)
            return self.dataset[index]

    def __getattr__(self, name: str) -> Any:
        # During unpickling, there is no data set yet.
        if name == "dataset" or name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.dataset, name)


class _RemainingBatches:
    """Batch sampler that skips the first batches of an epoch.

    Attributes:
        skipped: number of batches to skip; 0 in later epochs.
    """

    def __init__(self, batches: BatchSampler, done: int) -> None:
        self.batches, self.skipped = batches, done

    def __len__(self) -> int:
        return len(self.batches)

    def __iter__(self) -> Iterator[list[int]]:
        # A data loader with workers creates two iterators when it starts.
        return itertools.islice(self.batches, self.skipped, None)


def _set(loader: DataLoader, name: str, value: object) -> None:
    """Set a protected attribute of a DataLoader that has no iterator yet."""
    object.__setattr__(loader, name, value)
