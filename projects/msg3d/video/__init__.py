"""Pose estimators for videos."""

from .rtmlib_pose import RtmlibPose, rtmlib_pose

__all__ = ["RtmlibPose", "rtmlib_pose"]
