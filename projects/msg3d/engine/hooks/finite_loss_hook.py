"""Training that stops where the loss or the weights are no numbers any more."""

import itertools
from collections.abc import Sequence
from typing import Any

import torch
from mmaction.registry import HOOKS
from mmengine.hooks import Hook
from mmengine.runner import EpochBasedTrainLoop, Runner

from ..work_dir import last_whole_checkpoint

MOST_NAMES = 16


@HOOKS.register_module()
class FiniteLossHook(Hook):
    """Stop at the first loss that is not finite, and write no such weights.

    MMEngine trains on, and writes over good checkpoints. The loss is read in every
    iteration; MMEngine's log waits for the same number anyway. The weights are read
    when a checkpoint is written: all that are on the disk are finite.

    Raises:
        FloatingPointError: names iteration, learning rate, the samples of the batch
            (those with infinite or NaN input, if any) and the last good checkpoint.
    """

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,
        outputs: dict | None = None,
    ) -> None:
        loss = (outputs or {}).get("loss")
        if loss is None or torch.as_tensor(loss).isfinite().all():
            return
        rate = next(iter(runner.optim_wrapper.get_lr().values()))[0]
        where = (
            f"the loss is {torch.as_tensor(loss).item()} in iteration {runner.iter + 1} "
            f"(epoch {runner.epoch + 1}) at a learning rate of {rate:g}"
        )
        names = _batch_names(runner, batch_idx)
        faulty = _not_finite(data_batch)
        if names and faulty:
            names = [names[position] for position in faulty]
        if faulty:
            raise FloatingPointError(
                f"{where}: the input of {_listed(names)} is not finite after the "
                f"pipeline: mend the data or the pipeline and {_resume(runner)}"
            )
        raise FloatingPointError(f"{where}, on {_listed(names)}: {_tame(runner)}")

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        for name, value in checkpoint["state_dict"].items():
            if not value.isfinite().all():
                raise FloatingPointError(
                    f"{name} of the model is not finite after iteration "
                    f"{checkpoint['meta']['iter']}, so no checkpoint of it is written: "
                    f"{_tame(runner)}"
                )


def _not_finite(data_batch: Any) -> list[int]:
    """Positions in the batch of the inputs that hold NaN or infinity."""
    inputs = data_batch.get("inputs") if isinstance(data_batch, dict) else None
    if not isinstance(inputs, Sequence):
        return []
    return [i for i, clip in enumerate(inputs) if not clip.isfinite().all()]


def _batch_names(runner: Runner, batch_idx: int) -> list[str]:
    """Names of the samples of this batch; none for loops that are not by epoch.

    The pipeline need not have kept them: the sampler gives the same order again.
    """
    if not isinstance(runner.train_loop, EpochBasedTrainLoop):
        return []
    loader = runner.train_dataloader
    batch = next(itertools.islice(loader.batch_sampler, batch_idx, None))
    infos = [loader.dataset.get_data_info(index) for index in batch]
    return [
        str(info.get("frame_dir", info.get("filename", index)))
        for info, index in zip(infos, batch, strict=True)
    ]


def _listed(names: list[str]) -> str:
    names = list(dict.fromkeys(names))  # RepeatDataset has some twice in a batch
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return f"samples {names[:MOST_NAMES]}{more}" if names else "unknown samples"


def _tame(runner: Runner) -> str:
    return (
        f"set optim_wrapper.clip_grad=dict(max_norm=...) and {_resume(runner)}, or "
        "start again with a lower optim_wrapper.optimizer.lr (a resumed run keeps its "
        "own)"
    )


def _resume(runner: Runner) -> str:
    last = last_whole_checkpoint(runner.work_dir)
    if last is None:
        return "start again (there is no checkpoint yet)"
    return f"go on from the last good checkpoint with --resume {last}"
