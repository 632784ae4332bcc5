"""Backward-compatible aliases for names formerly defined in this module."""

from ..formats.video import read_video
from ..video import rtmlib_pose

__all__ = ["read_video", "rtmlib_pose"]
