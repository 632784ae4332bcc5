"""One run: train a config, and test the weights of its last epoch."""

import time
from pathlib import Path

from mmengine.config import Config
from mmengine.runner import Runner


def train(cfg: Config, name: str, seed: int, work_dir: Path) -> Runner:
    """Trains in this process, without a look at the test samples.

    Args:
        cfg: changed for this: no validation before the end, no checkpoints, no
            processes for the data.
        name: of the run.
        seed: of everything random.
        work_dir: its log goes into a folder of the run's name.

    Returns:
        The runner, trained; `runner.val()` and `runner.test()` use the last weights.
    """
    for loader in (cfg.train_dataloader, cfg.val_dataloader, cfg.test_dataloader):
        loader.update(num_workers=0, persistent_workers=False)
    # No epoch can be picked by the test samples.
    cfg.train_cfg.val_begin = cfg.train_cfg.max_epochs + 1
    cfg.default_hooks.checkpoint = dict(
        type="CheckpointHook", interval=-1, save_last=False
    )
    cfg.randomness = dict(seed=seed)
    cfg.log_level = "WARNING"
    cfg.work_dir = str(work_dir / f"{name}_{seed}".replace("/", "_"))
    # MMEngine keeps its loggers by this name.
    cfg.experiment_name = f"{name}_{seed}_{time.time_ns()}".replace("/", "_")
    # The run prints its config; to lay out the edges of a graph takes yapf longer
    # than it takes to build all else.
    runner = Runner.from_cfg(Config(cfg.to_dict(), format_python_code=False))
    runner.train()
    return runner


def parameters(runner: Runner) -> int:
    """How many numbers the model learns."""
    return sum(p.numel() for p in runner.model.parameters())
