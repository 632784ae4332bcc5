"""Annotation files: read, write, check, split, and compare samples."""

from .check import Annotations, check_annotations
from .files import load_annotations, save_annotations

__all__ = [
    "Annotations",
    "check_annotations",
    "load_annotations",
    "save_annotations",
]
