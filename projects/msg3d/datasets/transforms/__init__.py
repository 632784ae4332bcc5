"""Transforms registered in `mmaction.registry.TRANSFORMS`."""

from .align import AlignSkeleton3D
from .augment import RandomRotate3D, RandomScale3D
from .center import CenterPose2D
from .fast import FastPreNormalize3D, FastUniformSampleFrames
from .features import SkeletonFeatures
from .joint_dropout import JointDropout
from .laban import LabanEffort
from .layout import ConvertLayout
from .mirror import MirrorBody
from .move import RandomMove2D, RandomWindow
from .pack_targets import PackTargetInputs
from .persons import SelectPersons
from .resample import ResampleFrames
from .unit_scale import ScaleToUnit
from .view import AlignView

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
