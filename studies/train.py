"""One run of a study: train a config, and test the weights of its last epoch."""

import time
from collections.abc import Sequence
from pathlib import Path
from statistics import mean, stdev

from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.runner import Runner

CHECKPOINTS = 20  # of a run, one kept at a time


def folder(work_dir: Path, name: str, seed: int) -> Path:
    """Return the folder of a run's log, and of its checkpoint until it ends."""
    return work_dir / f"{name}_{seed}".replace("/", "_")


def train(cfg: Config, name: str, seed: int, work_dir: Path) -> Runner:
    """Train in this process, without looking at the test samples.

    An interrupted run resumes from its checkpoint bit for bit: see `StepSeedHook` and
    `PreemptionHook` of the config.

    Args:
        cfg: changed: no validation before the end, no worker processes.
        name: of the run.
        seed: of everything random.
        work_dir: of the study.

    Returns:
        The trained runner. `runner.val()` and `runner.test()` use the last weights.
    """
    for loader in (cfg.train_dataloader, cfg.val_dataloader, cfg.test_dataloader):
        loader.update(num_workers=0, persistent_workers=False)
    # Selecting an epoch by the test samples is impossible.
    epochs = cfg.train_cfg.max_epochs
    cfg.train_cfg.val_begin = epochs + 1
    checkpoint = cfg.default_hooks.checkpoint
    checkpoint.update(interval=max(1, epochs // CHECKPOINTS), max_keep_ckpts=1)
    checkpoint.pop("save_best", None)
    cfg.resume = True
    cfg.randomness = {"seed": seed}
    cfg.log_level = "WARNING"
    cfg.work_dir = str(folder(work_dir, name, seed))
    # MMEngine keeps its loggers by this name.
    cfg.experiment_name = f"{name}_{seed}_{time.time_ns()}".replace("/", "_")
    # The run prints its config. Formatting the edges of a graph takes yapf longer than
    # building everything else.
    runner = Runner.from_cfg(Config(cfg.to_dict(), format_python_code=False))
    runner.register_hook(CoreSeconds())
    runner.train()
    return runner


def forget(work_dir: Path, name: str, seed: int) -> None:
    """Remove the checkpoints of a run whose result is stored."""
    run = folder(work_dir, name, seed)
    for path in (*run.glob("*.pth"), run / "last_checkpoint"):
        path.unlink(missing_ok=True)


class CoreSeconds(Hook):
    """Count the processor time of a training over all interruptions, in seconds."""

    def __init__(self) -> None:
        self._before, self._began = 0.0, time.process_time()
        self.total = 0.0

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        self._before = checkpoint["meta"].get("core_seconds", 0.0)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        checkpoint["meta"]["core_seconds"] = self._now()

    def after_train(self, runner: Runner) -> None:
        self.total = self._now()

    def _now(self) -> float:
        return self._before + time.process_time() - self._began


def core_seconds(runner: Runner) -> int:
    """Return the processor time of a trained runner."""
    (hook,) = (hook for hook in runner.hooks if isinstance(hook, CoreSeconds))
    return round(hook.total)


def parameters(runner: Runner) -> int:
    """Return the number of trainable values."""
    return sum(p.numel() for p in runner.model.parameters())


def spread(values: Sequence[float], digits: int = 1) -> str:
    """Return 'mean ± std' over seeds, or the mean of a single one."""
    deviation = f" ± {stdev(values):.{digits}f}" if len(values) > 1 else ""
    return f"{mean(values):.{digits}f}{deviation}"
