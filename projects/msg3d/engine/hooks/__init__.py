"""Hooks registered in `mmaction.registry.HOOKS`."""

from .check_data_hook import CheckDataHook
from .checkpoint_hook import WholeCheckpointHook
from .finite_loss_hook import FiniteLossHook
from .freeze_hook import FreezeParametersHook
from .memory_hook import ReuseMemoryHook
from .preemption_hook import PreemptionHook
from .seed_hook import StepSeedHook

__all__ = [
    "CheckDataHook",
    "FiniteLossHook",
    "FreezeParametersHook",
    "PreemptionHook",
    "ReuseMemoryHook",
    "StepSeedHook",
    "WholeCheckpointHook",
]
