"""A single run of a study: train a config, and test the weights of the last epoch."""

import time
from collections.abc import Sequence
from pathlib import Path
from statistics import mean, stdev

from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.runner import Runner, find_latest_checkpoint

from msg3d.evaluation import wilson_interval

CHECKPOINTS = 20  # per run; only the latest is kept


def folder(work_dir: Path, name: str, seed: int) -> Path:
    """Return the folder of a run's log and, until the run ends, of its checkpoint."""
    return work_dir / f"{name}_{seed}".replace("/", "_")


def train(cfg: Config, name: str, seed: int, work_dir: Path) -> Runner:
    """Train in this process, without using the test samples.

    An interrupted run resumes bit for bit from its checkpoint; see `StepSeedHook` and
    `PreemptionHook` in the config.

    Args:
        cfg: config, modified in place: no validation during training, and no data loader
            workers.
        name: name of the run.
        seed: random seed.
        work_dir: work folder of the study.

    Returns:
        The trained runner. `runner.val()` and `runner.test()` use the last weights.
    """
    for loader in (cfg.train_dataloader, cfg.val_dataloader, cfg.test_dataloader):
        loader.update(num_workers=0, persistent_workers=False)
    # No validation: epochs must not be selected by test samples.
    epochs = cfg.train_cfg.max_epochs
    cfg.train_cfg.val_begin = epochs + 1
    checkpoint = cfg.default_hooks.checkpoint
    checkpoint.update(interval=max(1, epochs // CHECKPOINTS), max_keep_ckpts=1)
    checkpoint.pop("save_best", None)
    run = folder(work_dir, name, seed)
    # With `load_from`, MMEngine would resume from the pretrained weights.
    cfg.resume = cfg.get("load_from") is None or find_latest_checkpoint(run) is not None
    if cfg.resume:
        cfg.load_from = None
    cfg.randomness = {"seed": seed}
    cfg.log_level = "WARNING"
    cfg.work_dir = str(run)
    # MMEngine caches loggers by this name.
    cfg.experiment_name = f"{name}_{seed}_{time.time_ns()}".replace("/", "_")
    # The config is logged. Formatting the edges of a graph with yapf would take longer
    # than building the runner.
    runner = Runner.from_cfg(Config(cfg.to_dict(), format_python_code=False))
    runner.register_hook(CoreSeconds())
    runner.train()
    return runner


def forget(work_dir: Path, name: str, seed: int) -> None:
    """Delete the checkpoints of a run after its result was stored."""
    run = folder(work_dir, name, seed)
    for path in (*run.glob("*.pth"), run / "last_checkpoint"):
        path.unlink(missing_ok=True)


class CoreSeconds(Hook):
    """Measure the processor time of a training in seconds, across interruptions."""

    def __init__(self) -> None:
        self._before, self._start = 0.0, time.process_time()
        self.total = 0.0

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        self._before = checkpoint["meta"].get("core_seconds", 0.0)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        checkpoint["meta"]["core_seconds"] = self._now()

    def after_train(self, runner: Runner) -> None:
        self.total = self._now()

    def _now(self) -> float:
        return self._before + time.process_time() - self._start


def core_seconds(runner: Runner) -> int:
    """Return the processor time of a trained runner."""
    (hook,) = (hook for hook in runner.hooks if isinstance(hook, CoreSeconds))
    return round(hook.total)


def parameters(runner: Runner) -> int:
    """Return the number of parameters."""
    return sum(p.numel() for p in runner.model.parameters())


def clip_interval(values: Sequence[float], samples: int, digits: int = 1) -> str:
    """Format the 95 % Wilson interval of a mean accuracy as 'low - high'.

    All seeds share the test clips, so that their counts cannot be summed. The interval is
    that of a single test of `samples` clips with the mean accuracy, rounded to a number of
    clips. It covers the choice of the test clips, and `spread` covers the seeds.

    Args:
        values: accuracy of each seed in percent.
        samples: number of test clips.
        digits: number of decimals.
    """
    low, high = wilson_interval(round(mean(values) / 100 * samples), samples)
    return f"{100 * low:.{digits}f} - {100 * high:.{digits}f}"


def spread(values: Sequence[float], digits: int = 1) -> str:
    """Format values as 'mean ± std'; a single value without std."""
    deviation = f" ± {stdev(values):,.{digits}f}" if len(values) > 1 else ""
    return f"{mean(values):,.{digits}f}{deviation}"
