"""Hooks registered in `mmaction.registry.HOOKS`."""

from .check_data_hook import CheckDataHook

__all__ = ["CheckDataHook"]
