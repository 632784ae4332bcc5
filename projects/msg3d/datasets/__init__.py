"""Annotation files, and data sets registered in `mmaction.registry.DATASETS`."""

from . import transforms
from .annotations import (
    AnnotationError,
    check_annotations,
    load_annotations,
    save_annotations,
)
from .skeleton_dataset import SkeletonDataset

__all__ = [
    "AnnotationError",
    "SkeletonDataset",
    "check_annotations",
    "load_annotations",
    "save_annotations",
    "transforms",
]
