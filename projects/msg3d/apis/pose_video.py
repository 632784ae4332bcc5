"""Aliases of names that earlier versions defined here."""

from ..formats.video import read_video
from ..video import rtmlib_pose

__all__ = ["read_video", "rtmlib_pose"]
