"""Data sets and transforms for MMAction2, and functions for annotation files."""

from ..annotations.files import (
    check_annotations,
    load_annotations,
    save_annotations,
)
from ..errors import AnnotationError
from ..stores.packing import pack
from ..stores.store import Store, load_store
from ..stores.writer import StoreWriter
from . import transforms
from .combined_dataset import CombinedSkeletonDataset
from .packed_dataset import PackedSkeletonDataset
from .skeleton_dataset import SkeletonDataset
from .weighted_sampler import WeightedSampler

__all__ = [
    "AnnotationError",
    "CombinedSkeletonDataset",
    "PackedSkeletonDataset",
    "SkeletonDataset",
    "Store",
    "StoreWriter",
    "WeightedSampler",
    "check_annotations",
    "load_annotations",
    "load_store",
    "pack",
    "save_annotations",
    "transforms",
]
