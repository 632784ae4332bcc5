"""Hook for distributed training, loaded through `custom_imports`."""

import json
import os
from pathlib import Path

import mmengine.config.config
from mmaction.registry import HOOKS
from mmengine.hooks import Hook
from torch.nn.modules.batchnorm import _BatchNorm

if "RANK" in os.environ:  # a training process, not a test
    # Formatting the config takes longer than the ten steps.
    mmengine.config.config.FormatCode = lambda text, **_: (text, True)


@HOOKS.register_module(force=True)
class FreezeNormsAndRecordLosses(Hook):
    """Keep BatchNorm in eval mode, and record the losses of each process.

    Batch statistics would differ between the processes. The losses are written to
    `losses_RANK.json` in the work dir, because MMEngine logs only those of rank 0.
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
