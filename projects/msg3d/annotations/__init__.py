"""Reading, writing, checking, and splitting of annotation files."""

from .check import Annotations, check_annotations
from .files import load_annotations, save_annotations
from .samples import Sample

__all__ = [
    "Annotations",
    "Sample",
    "check_annotations",
    "load_annotations",
    "save_annotations",
]
