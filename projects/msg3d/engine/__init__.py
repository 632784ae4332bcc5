"""Hooks registered in `mmaction.registry.HOOKS`."""

from .check_data_hook import CheckDataHook
from .freeze_hook import FreezeParametersHook

__all__ = ["CheckDataHook", "FreezeParametersHook"]
