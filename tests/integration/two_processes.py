"""A hook that training in several processes loads by `custom_imports`."""

import json
import os
from pathlib import Path

import mmengine.config.config
from mmaction.registry import HOOKS
from mmengine.hooks import Hook
from torch.nn.modules.batchnorm import _BatchNorm

if "RANK" in os.environ:  # one of the processes, and no test's
    # Laying out the config's text takes longer than the ten steps.
    mmengine.config.config.FormatCode = lambda text, **_: (text, True)


@HOOKS.register_module(force=True)
class FreezeNormsAndNoteLosses(Hook):
    """BatchNorm as in inference, since each process has statistics of its own batch.

    Writes every process's losses to `losses_RANK.json` of the work_dir: MMEngine logs
    the first one's alone.
    """

    def __init__(self):
        self.losses = []

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        for module in runner.model.modules():
            if isinstance(module, _BatchNorm):
                module.eval()

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        self.losses.append(outputs["loss"].item())

    def after_train(self, runner):
        path = Path(runner.work_dir) / f"losses_{runner.rank}.json"
        path.write_text(json.dumps(self.losses), encoding="utf-8")
