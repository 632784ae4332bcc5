"""Hooks in `mmaction.registry.HOOKS`, and wrappers where the runner offers no hook."""

from .check_data_hook import CheckDataHook
from .checkpoint_hook import WholeCheckpointHook
from .finite_loss_hook import FiniteLossHook
from .freeze_hook import FreezeParametersHook
from .launcher import end_with_launcher
from .preemption_hook import PreemptionHook
from .seed_hook import StepSeedHook
from .work_dir import lock_work_dir, name_unwritable

__all__ = [
    "CheckDataHook",
    "FiniteLossHook",
    "FreezeParametersHook",
    "PreemptionHook",
    "StepSeedHook",
    "WholeCheckpointHook",
    "end_with_launcher",
    "lock_work_dir",
    "name_unwritable",
]
