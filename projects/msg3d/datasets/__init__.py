"""Annotation files, and data sets registered in `mmaction.registry.DATASETS`."""

from . import transforms
from .annotations import (
    AnnotationError,
    check_annotations,
    load_annotations,
    save_annotations,
)
from .packed_dataset import PackedSkeletonDataset
from .packing import pack
from .skeleton_dataset import SkeletonDataset
from .store import Store, load_store
from .store_writer import StoreWriter

__all__ = [
    "AnnotationError",
    "PackedSkeletonDataset",
    "SkeletonDataset",
    "Store",
    "StoreWriter",
    "check_annotations",
    "load_annotations",
    "load_store",
    "pack",
    "save_annotations",
    "transforms",
]
