"""Transforms for MMAction2 pipelines, based on `msg3d.preprocessing`."""

from .augment import (
    JointDropout,
    MirrorBody,
    RandomMove2D,
    RandomRotate3D,
    RandomScale3D,
)
from .features import LabanEffort, SkeletonFeatures
from .normalize import (
    AlignSkeleton3D,
    AlignView,
    CenterPose2D,
    FastPreNormalize3D,
    ScaleToUnit,
)
from .pack import PackTargetInputs
from .persons import ConvertLayout, SelectPersons
from .sample import FastUniformSampleFrames, RandomWindow, ResampleFrames

__all__ = [
    "AlignSkeleton3D",
    "AlignView",
    "CenterPose2D",
    "ConvertLayout",
    "FastPreNormalize3D",
    "FastUniformSampleFrames",
    "JointDropout",
    "LabanEffort",
    "MirrorBody",
    "PackTargetInputs",
    "RandomMove2D",
    "RandomRotate3D",
    "RandomScale3D",
    "RandomWindow",
    "ResampleFrames",
    "ScaleToUnit",
    "SelectPersons",
    "SkeletonFeatures",
]
