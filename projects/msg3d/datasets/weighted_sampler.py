"""Sampler that draws classes or files with equal or other chosen frequencies."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from mmengine.dataset import DefaultSampler
from mmengine.registry import DATA_SAMPLERS

from ..errors import ConfigError


@DATA_SAMPLERS.register_module()
class WeightedSampler(DefaultSampler):
    """Draw samples with replacement, in proportion to weights.

    An epoch has the same number of samples as with `DefaultSampler`. All processes draw
    the same samples, and each takes its part of them.

    Args:
        dataset: `SkeletonDataset`, `PackedSkeletonDataset`, or
            `CombinedSkeletonDataset`, also inside `RepeatDataset`.
        class_balanced: whether all classes are drawn equally often. Otherwise, a class is
            drawn in proportion to the weights of its samples.
        file_weights: weight of each sample of a file, in the order of `files` of
            `CombinedSkeletonDataset`. By default, 1. With `class_balanced`, it applies
            within each class.
        seed: random seed, the same in all processes; None to draw one.

    Raises:
        ConfigError: `file_weights` has another length than `files`, or is negative or
            zero for all samples of a class (kind `option`).
    """

    def __init__(
        self,
        dataset: Any,
        class_balanced: bool = True,
        file_weights: Sequence[float] | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(dataset, shuffle=True, seed=seed, **kwargs)
        while hasattr(dataset, "times"):  # RepeatDataset
            dataset = dataset.dataset
        self.weights = torch.from_numpy(_weights(dataset, class_balanced, file_weights))

    def __iter__(self) -> Iterator[int]:
        """Draw the samples of an epoch, and yield those of this process."""
        generator = torch.Generator().manual_seed(self.seed + self.epoch)
        size, drawn = len(self.weights), self.total_size
        cumulative = self.weights.cumsum(0)
        # `torch.multinomial` is limited to 2**24 samples.
        values = torch.rand(drawn, generator=generator, dtype=torch.float64)
        samples = torch.searchsorted(cumulative, values * cumulative[-1], right=True)
        # Choose among the repetitions, which are augmented differently.
        repetitions = len(self.dataset) // size
        turns = torch.randint(repetitions, (drawn,), generator=generator)
        indices = samples.clamp(max=size - 1) + turns * size
        return iter(indices[self.rank :: self.world_size].tolist())


def _weights(
    dataset: Any, class_balanced: bool, file_weights: Sequence[float] | None
) -> np.ndarray:
    """Return the weight of each sample, float64 [samples]."""
    sizes = [len(part) for part in getattr(dataset, "datasets", [dataset])]
    values = np.ones(len(sizes))
    if file_weights is not None:
        try:
            values = np.asarray(list(file_weights), dtype=np.float64)
        except (TypeError, ValueError):
            values = np.empty(0)
    valid = values.shape == (len(sizes),) and np.isfinite(values).all()
    if not valid or values.min() < 0 or values.max() <= 0:
        raise ConfigError(
            f"file_weights is {file_weights!r}, expected a list with a number from 0 for "
            f"each of {len(sizes)} files",
            kind="option",
            field="file_weights",
        )
    weights = np.repeat(values, sizes)
    if not class_balanced:
        return weights
    labels = dataset.labels
    totals = np.bincount(labels + 1, weights)
    empty = np.flatnonzero((totals == 0) & (np.bincount(labels + 1) > 0))
    if len(empty):
        raise ConfigError(
            f"file_weights is 0 for all samples of class {empty[0] - 1}. Set "
            "class_balanced=False, or leave the class out.",
            kind="option",
            field="file_weights",
        )
    return weights / totals[labels + 1]
