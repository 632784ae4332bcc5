"""Transforms registered in `mmaction.registry.TRANSFORMS`."""

from .align import AlignSkeleton3D
from .augment import RandomRotate3D, RandomScale3D
from .fast import FastPreNormalize3D, FastUniformSampleFrames
from .resample import ResampleFrames

__all__ = [
    "AlignSkeleton3D",
    "FastPreNormalize3D",
    "FastUniformSampleFrames",
    "RandomRotate3D",
    "RandomScale3D",
    "ResampleFrames",
]
