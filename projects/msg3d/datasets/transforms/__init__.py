"""Transforms registered in `mmaction.registry.TRANSFORMS`."""

from .align import AlignSkeleton3D
from .augment import RandomRotate3D, RandomScale3D
from .resample import ResampleFrames

__all__ = ["AlignSkeleton3D", "RandomRotate3D", "RandomScale3D", "ResampleFrames"]
