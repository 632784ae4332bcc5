"""Transforms registered in `mmaction.registry.TRANSFORMS`."""

from .align import AlignSkeleton3D
from .augment import RandomRotate3D, RandomScale3D
from .center import CenterPose2D
from .fast import FastPreNormalize3D, FastUniformSampleFrames
from .features import SkeletonFeatures
from .layout import ConvertLayout
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
    "RandomRotate3D",
    "RandomScale3D",
    "ResampleFrames",
    "SelectPersons",
    "SkeletonFeatures",
]
