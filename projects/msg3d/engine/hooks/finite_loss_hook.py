"""Stop training if the loss or the weights become NaN or infinite."""

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
    """Stop at the first non-finite loss, and never save non-finite weights.

    MMEngine would continue to train and overwrite good checkpoints. The hook reads the
    loss in every iteration, which is free because MMEngine's log reads it anyway. It
    checks the weights before a checkpoint is written, so all checkpoints are finite.

    Raises:
        FloatingPointError: the message contains the iteration, the learning rate, the
            samples of the batch (only those with non-finite input, if any), and the
            last good checkpoint.
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
                f"{where}. The input of {_listed(names)} is not finite after the "
                f"pipeline. Fix the data or the pipeline, and {_resume(runner)}"
            )
        raise FloatingPointError(f"{where}, with {_listed(names)}. {_advice(runner)}")

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        for name, value in checkpoint["state_dict"].items():
            if not value.isfinite().all():
                raise FloatingPointError(
                    f"{name} of the model is not finite after iteration "
                    f"{checkpoint['meta']['iter']}, so no checkpoint is written. "
                    f"{_advice(runner)}"
                )


def _not_finite(data_batch: Any) -> list[int]:
    """Return the batch indices of inputs with NaN or infinite values."""
    inputs = data_batch.get("inputs") if isinstance(data_batch, dict) else None
    if not isinstance(inputs, Sequence):
        return []
    return [i for i, clip in enumerate(inputs) if not clip.isfinite().all()]


def _batch_names(runner: Runner, batch_idx: int) -> list[str]:
    """Return the names of the samples in a batch; empty for loops by iteration.

    The pipeline may have dropped the names, but the sampler reproduces the order.
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
    names = list(dict.fromkeys(names))  # RepeatDataset may repeat a sample in a batch
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    listed = ", ".join(names[:MOST_NAMES])
    return f"samples {listed}{more}" if names else "unknown samples"


def _advice(runner: Runner) -> str:
    return (
        f"Set optim_wrapper.clip_grad=dict(max_norm=...) and {_resume(runner)}, or "
        "start again with a lower optim_wrapper.optimizer.lr (a resumed run keeps the "
        "old learning rate)."
    )


def _resume(runner: Runner) -> str:
    last = last_whole_checkpoint(runner.work_dir)
    if last is None:
        return "start again (there is no checkpoint yet)"
    return f"resume from the last good checkpoint with --resume {last}"
