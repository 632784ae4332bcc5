"""Aliases of names that earlier versions had here."""

from ..formats.video import read_video
from ..video import rtmlib_pose

__all__ = ["read_video", "rtmlib_pose"]
