"""Transforms registered in `mmaction.registry.TRANSFORMS`."""

from .align import AlignSkeleton3D
from .augment import RandomRotate3D, RandomScale3D
from .center import CenterPose2D
from .fast import FastPreNormalize3D, FastUniformSampleFrames
from .features import SkeletonFeatures
from .laban import LabanEffort
from .layout import ConvertLayout
from .move import RandomMove2D, RandomWindow
from .pack_targets import PackTargetInputs
from .persons import SelectPersons
from .resample import ResampleFrames
from .view import AlignView

__all__ = [
    "AlignSkeleton3D",
    "AlignView",
    "CenterPose2D",
    "ConvertLayout",
    "FastPreNormalize3D",
    "FastUniformSampleFrames",
    "LabanEffort",
    "PackTargetInputs",
    "RandomMove2D",
    "RandomRotate3D",
    "RandomScale3D",
    "RandomWindow",
    "ResampleFrames",
    "SelectPersons",
    "SkeletonFeatures",
]
